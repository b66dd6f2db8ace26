"""The asyncio backend of the how-to, as it is: its server is killed, and nothing is lost."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-plugin.md"


def test_every_event_is_stored_although_the_server_is_killed(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        page = PAGE.read_text().replace("8766", str(probe.getsockname()[1]))
    for name, text in re.findall(r"```\{file\} (lines\w*\.py)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).write_text(text)
    ended = subprocess.run(
        [sys.executable, "lines_app.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = (tmp_path / "lines.ndjson").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == 1000
