"""What cannot be written is told, and leaves no broken line behind."""

from __future__ import annotations

import json
import logging
from time import monotonic

import pytest

from eventtracking_core import RetryableError
from eventtracking_file import FileBackend

FULL_DISK = """
import resource

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

backend = FileBackend(path)
backend.send(event(number=0))
"""


def lines(path):
    return [line for line in path.read_text().splitlines() if line.strip()]


def test_a_full_disk_is_a_failure_that_passes(an_event):
    with pytest.raises(RetryableError, match="No space left on device"):
        FileBackend("/dev/full").send(an_event())


def test_a_path_that_cannot_be_opened_is_named_by_its_problem_alone(path, an_event):
    path.mkdir()
    with pytest.raises(RetryableError, match=r"^cannot open the file: Is a directory$"):
        FileBackend(str(path)).send(an_event())


@pytest.mark.parametrize("spare", [1, 40, 100, 150])
def test_what_was_written_of_a_line_is_taken_back(run, path, spare):
    """The file-size limit makes the kernel write a part of a line, as a full disk does."""
    output = run(
        FULL_DISK
        + """
room(os.path.getsize(path) + int(sys.argv[2]))
for number in range(1, 4):
    try:
        backend.send(event(number=number, text="x" * 200))
    except RetryableError as error:
        print(error)
room(resource.RLIM_INFINITY)
backend.send(event(number=4))
""",
        spare,
    )
    assert output.splitlines() == ["cannot write to the file: File too large"] * 3
    assert [json.loads(line)["data"]["number"] for line in lines(path)] == [0, 4]


def test_of_a_batch_that_does_not_fit_the_rest_is_named(run, path):
    output = run(
        FULL_DISK
        + """
room(os.path.getsize(path) + 1000)
try:
    backend.send_batch([event(number=n, text="x" * 200) for n in range(1, 8)], timeout=60)
except BatchError as error:
    print(*error.failures)
"""
    )
    failed = [int(index) + 1 for index in output.split()]
    there = [json.loads(line)["data"]["number"] for line in lines(path)]
    assert len(failed) > 1
    assert there + failed == list(range(8))


def test_a_batch_of_which_nothing_fits_can_be_tried_again(an_event):
    with pytest.raises(RetryableError):
        FileBackend("/dev/full").send_batch([an_event(), an_event()], timeout=60)


def test_a_program_may_close_all_its_descriptors(run, path):
    """Those that turn into daemons do."""
    run("""
backend = FileBackend(path)
for number in range(3):
    backend.send(event(number=number))
    backend.send(event(number=number))
    os.closerange(3, 256)
backend.send(event(number=3))
""")
    assert len(lines(path)) == 7


def test_a_descriptor_that_became_another_file_is_noticed_and_left_open(run, path, tmp_path):
    run(
        """
from time import monotonic
backend = FileBackend(path)
backend.send(event(number=0))
os.closerange(3, 256)
other = os.open(sys.argv[2], os.O_CREAT | os.O_WRONLY)
deadline = monotonic() + 60
while os.path.getsize(path) < 1000 and monotonic() < deadline:
    backend.send(event(number=1))
del backend
os.write(other, b"still open")
""",
        tmp_path / "other",
    )
    assert len(lines(path)) > 1
    assert (tmp_path / "other").read_bytes().endswith(b"still open")


def test_after_another_program_renamed_the_file_a_new_one_is_written(
    path, tmp_path, an_event, eventually
):
    backend = FileBackend(str(path))
    backend.send(an_event())
    path.rename(tmp_path / "events.1")

    def a_new_one_is_there():
        backend.send(an_event())
        return path.exists()

    eventually(a_new_one_is_there)


def test_events_that_went_with_a_removed_file_are_reported(path, an_event, eventually, caplog):
    backend = FileBackend(str(path))
    backend.send(an_event())
    path.unlink()

    def a_new_one_is_there():
        backend.send(an_event())
        return path.exists()

    eventually(a_new_one_is_there)
    assert [(r.name, r.levelno) for r in caplog.records] == [("eventtracking", logging.ERROR)]
    assert "another program removed the file" in caplog.text


def test_a_file_that_was_removed_while_nothing_happened_is_no_loss(
    path, written, an_event, eventually, caplog
):
    backend = FileBackend(str(path))
    backend.send(an_event())
    path.unlink()
    later = monotonic() + 0.2
    eventually(lambda: monotonic() > later)
    backend.send(an_event())
    assert len(written()) == 1
    assert not caplog.records
