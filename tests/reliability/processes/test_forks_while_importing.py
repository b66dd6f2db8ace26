"""P10: a child delivers although its parent's worker was importing a module as it forked."""

from __future__ import annotations

import pytest

PROGRAM = """
    import os, sys, threading
    from types import ModuleType
    import eventtracking_core as et

    begun, go = threading.Event(), threading.Event()
    sys.modules["gate"] = gate = ModuleType("gate")
    gate.begun, gate.go = begun, go
    with open("client.py", "w") as module:
        print("import gate", "gate.begun.set()", "gate.go.wait()", file=module, sep=";")
        print("def send(): return 'sent'", file=module)

    class Lazy:
        def send(self, event):
            from client import send
            with open("events", "a") as events:
                print(send(), event["name"], file=events)

    class Plugin:
        @et.hookimpl
        def eventtracking_backends(self):
            return {"lazy": Lazy}

    et.register_plugin(Plugin(), "lazy")
    sink = {"type": "lazy", "delivery": {"mode": "queue", "schedule_delay": 0}}
    et.configure({"shutdown_timeout": 60, "backends": {"sink": sink}})
    et.emit("parent")
    assert begun.wait(60)
    child = os.fork()
    if not child:
        gate.go = threading.Event()  # a thread of the parent waits for the other one
        gate.go.set()
        if "itself" in sys.argv:
            import client
            assert client.send() == "sent"
        et.emit("child")
        os._exit(not et.get_tracker().flush(60))
    assert os.waitpid(child, 0)[1] == 0
    go.set()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("importer", ["worker", "itself"])
def test_a_child_imports_what_a_thread_of_its_parent_was_importing(importer, program, tmp_path):
    program(PROGRAM, importer)
    assert sorted((tmp_path / "events").read_text().splitlines()) == ["sent child", "sent parent"]
