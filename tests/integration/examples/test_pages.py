"""The how-to pages of the examples, followed: the commands of their two terminals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from free_ports import free_port

PAGES = Path(__file__).parents[3] / "docs" / "how-to"
SERVER = re.compile(r"^(python manage\.py runserver|uvicorn) ")
DJANGO = ["shop.order.placed", "shop.order.refused", "shop.order.shown", "shop.orders.exported"]
FASTAPI = ["notes.service.started", "notes.note.added", "notes.note.indexed", "notes.exported"]


class Reader:
    """A person with two terminals, who has installed the requirements already."""

    def __init__(self, page, example):
        text = (PAGES / page).read_text().partition("\n## Deploy")[0]
        text = text.replace("8000", str(free_port())).replace("localhost", "127.0.0.1")
        lines = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
        self.commands = [line for line in lines if not re.match(r"cd |pip |python3 -m venv", line)]
        self.example = example
        bin_ = Path(sys.executable).parent
        example.environment |= {"PATH": f"{bin_}:{os.environ['PATH']}", "NO_COLOR": "1"}
        self.said = {}

    def follow(self, eventually):
        """Type every command; return what each answered."""
        for command in self.commands:
            if SERVER.match(command):
                server = self._start(command)
                look = f"curl 127.0.0.1:{command.split()[-1]}"
                eventually(lambda look=look: self._type(look).returncode == 0, server.log)
            else:
                done = self._type(command)
                assert done.returncode == 0, (command, done.stdout, done.stderr)
                self.said[command] = done.stdout
        os.killpg(server.process.pid, signal.SIGINT)  # Ctrl-C
        server.process.wait(60)
        assert "Traceback" not in server.log()

    def _start(self, command):
        words = command.removeprefix("python ").split()
        return self.example.start(*words if words[0] == "manage.py" else ("-m", *words))

    def _type(self, command):
        return subprocess.run(
            ["bash", "-ec", command],
            cwd=self.example.directory,
            env=self.example.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.mark.soak  # a dozen processes of Django
def test_the_page_of_the_django_project(example, eventually):
    reader = Reader("django-shop.md", example("django-shop"))
    reader.follow(eventually)
    for name in DJANGO:
        assert name in reader.said["python manage.py eventtracking events list"]
    delivered = reader.said["cat warehouse.ndjson"]
    assert delivered.count("shop.order.placed") == delivered.count("shop.order.refused") == 1
    assert '"command"' not in delivered


@pytest.mark.once
@pytest.mark.slow
def test_the_page_of_the_fastapi_service(example, eventually):
    reader = Reader("fastapi-app.md", example("fastapi-app"))
    reader.follow(eventually)
    for name in FASTAPI:
        assert name in reader.said["eventtracking events list"]
    assert reader.example.stored()[-1]["name"] == "notes.service.stopped"
