"""The how-to page, as somebody follows it: its files, and the commands of its two terminals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from free_ports import free_port

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "async-router.md"
PORT = "6399"


@pytest.mark.once
def test_the_commands_of_two_terminals_store_an_event(tmp_path, eventually):
    port = free_port()
    page = PAGE.read_text().replace(PORT, str(port))
    for name, text in re.findall(r"```{file} (\S+)\n(.*?)```", page, re.DOTALL):
        # On a busy machine, importing Celery takes longer than a command has by default.
        (tmp_path / name).write_text(f"shutdown_timeout = 60\n{text}")
    _install, first, second = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "NO_COLOR": "1"}
    with (tmp_path / "first.log").open("wb") as log:
        terminal = subprocess.Popen(
            ["bash", "-ec", commands(first)],
            cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def type_in(text):
        return subprocess.run(
            ["bash", "-ec", text],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def broker_answers():
        assert terminal.poll() is None, (tmp_path / "first.log").read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        eventually(broker_answers)
        *before, last = commands(second).splitlines()
        done = type_in("\n".join(before))
        assert done.returncode == 0, done.stderr
        eventually(lambda: "edx.problem.check" in type_in(f"{before[0]}\n{last}").stdout)
    finally:
        os.killpg(terminal.pid, signal.SIGKILL)
        terminal.wait()


def commands(block):
    return "\n".join(line.removeprefix("$ ") for line in block.splitlines())
