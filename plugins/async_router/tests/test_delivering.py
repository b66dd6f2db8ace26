"""What becomes of a message in a worker: delivered, partly requeued, dead-lettered, or rejected."""

from __future__ import annotations

from collections import Counter

import pytest
from async_router_desk import a_message, ledger
from delivery_fixtures import Sink

import eventtracking_core as et
from eventtracking_core.delivery import DeadLetters


def test_a_failing_child_is_tried_again_and_the_others_are_left_alone(desk):
    good, bad = Sink(), Sink(et.RetryableError("away"), OSError(111, "refused"))
    desk.configure(good=good, bad=bad)
    desk.emit(*range(100))
    assert desk.work() >= 3
    assert good.calls == [list(range(100))]
    assert bad.delivered == list(range(100))
    assert desk.ledger("good") == ledger(accepted=100, delivered=100)
    assert desk.ledger("bad")["delivered"] == 100


def test_one_poison_event_of_a_hundred_is_a_dead_letter_and_99_are_delivered(desk):
    def refuse(numbers):
        return et.RejectedError("bad") if 42 in numbers else None

    sink = Sink(*[refuse] * 100)
    desk.configure(store=sink)
    desk.emit(*range(100))
    assert desk.work() == 1
    assert sorted(sink.delivered) == [n for n in range(100) if n != 42]
    [letter] = desk.leaf().dead_letters.letters()
    assert (letter.event["data"], letter.reason) == ({"n": 42}, "rejected")
    assert desk.ledger() == ledger(accepted=100, delivered=99, dead_lettered=1)


def test_a_dead_letter_that_the_disk_refuses_waits_in_the_broker(desk):
    sink = Sink(*[et.RejectedError("bad")] * 10)
    desk.configure(store=sink)
    dead = desk.leaf().dead_letters.directory
    dead.parent.mkdir(parents=True)
    dead.write_text("in the way")
    desk.emit(1)
    assert desk.work(limit=3) == 3
    assert desk.ledger() == ledger(accepted=3, requeued=3)
    dead.unlink()
    desk.work()
    [letter] = desk.leaf().dead_letters.letters()
    assert (letter.event["data"], letter.reason) == ({"n": 1}, "rejected")
    assert desk.messages() == []


def test_a_message_that_can_be_neither_delivered_nor_dead_lettered_goes_back(
    desk, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EVENTTRACKING_SPOOL_DIRECTORY", str(tmp_path / "file"))
    desk.configure(store=Sink())
    document = a_message(desk, 1, node="late")
    desk.deliver(document)
    [message] = desk.messages()
    assert message.payload[0][0] == document
    desk.deliver(document, retries=5000)
    [message] = desk.messages()
    assert message.payload[0][0] == document


def test_an_event_that_fails_for_no_named_reason_is_dead_lettered_while_others_get_through(desk):
    def stumble(numbers):
        return KeyError("n") if 3 in numbers else None

    sink = Sink(*[stumble] * 10_000)
    desk.configure(store=sink)
    desk.emit(*range(8))
    for n in range(8, 30):
        desk.work(limit=20)
        desk.emit(n)
    desk.work()
    assert sorted(sink.delivered) == [n for n in range(30) if n != 3]
    [letter] = desk.leaf().dead_letters.letters()
    assert (letter.event["data"], letter.reason) == ({"n": 3}, "error")


def test_what_fails_for_longer_than_its_budget_expires(desk):
    sink = Sink(*[et.RetryableError("away")] * 1000)
    desk.configure(limited={"delivery": {"max_elapsed_time": 0}, "backends": {"store": sink}})
    desk.emit(1, 2, 3)
    desk.work()
    letters = list(desk.leaf().dead_letters.letters())
    assert [letter.reason for letter in letters] == ["expired"] * 3
    assert letters[0].attempts >= 2


def test_only_the_failed_events_of_a_batch_are_tried_again(desk):
    away = et.RetryableError("away")
    sink = Sink(et.BatchError({1: away, 2: et.RejectedError("bad")}))
    desk.configure(store=sink)
    desk.emit(0, 1, 2, 3)
    desk.work()
    assert sink.calls[0] == [0, 1, 2, 3]
    assert sorted(sink.delivered) == [0, 1, 3]
    assert desk.ledger()["dead_lettered"] == 1


def test_a_sink_that_is_away_is_not_asked_for_every_message(desk):
    sink = Sink(et.RetryableError("away", retry_after=30))
    desk.configure(patient={"delivery": {"max_interval": 10}, "backends": {"store": sink}})
    for n in range(20):
        desk.emit(n)
    desk.work(limit=200)
    assert len(sink.calls) == 1
    assert desk.ledger()["requeued"] == desk.ledger()["accepted"] >= 200


def test_processors_below_the_node_see_each_event_once(desk):
    seen = Counter()

    def count(event):
        seen[event["data"]["n"]] += 1

    sink = Sink(et.RetryableError("away"))
    desk.configure(below={"processors": [count], "backends": {"store": sink}})
    desk.emit(*range(10))
    desk.work()
    assert sink.delivered == list(range(10))
    assert seen == Counter(range(10))


class SecretlyAdds:
    """Changes events, although it says that it does not."""

    mutates = False

    def __call__(self, event):
        event["data"]["added"] = 1


@pytest.mark.parametrize(
    "processor", [{"type": "add", "fields": {"data.added": 1}}, SecretlyAdds()], ids=["add", "own"]
)
def test_a_retried_event_has_what_a_processor_below_the_node_changed(desk, processor):
    class Noting(Sink):
        def send_batch(self, events, *, timeout):
            added.append([event["data"].get("added") for event in events])
            super().send_batch(events, timeout=timeout)

    added = []
    below = {"processors": [processor], "backends": {"store": Noting(et.RetryableError("away"))}}
    desk.configure(below=below)
    desk.emit(1, 2)
    desk.work()
    assert added == [[1, 1], [1, 1]]


def test_events_for_a_node_or_a_backend_that_is_not_there_are_dead_letters(
    desk, tmp_path, monkeypatch
):
    monkeypatch.setenv("EVENTTRACKING_SPOOL_DIRECTORY", str(tmp_path))
    desk.configure(store=Sink())
    desk.deliver(a_message(desk, 1, tracker="nobody"))
    desk.deliver(a_message(desk, 2, node="late"))
    desk.deliver(a_message(desk, 3, leaf="node.r.gone"))
    found = {
        path.parent.name.partition("@")[0]: [
            letter.event["data"]["n"] for letter in DeadLetters(path, 0).letters()
        ]
        for path in tmp_path.rglob("dead")
    }
    assert found == {"node": [1], "late": [2], "node.r.gone": [3]}


def test_events_of_a_message_during_which_a_process_died_are_delivered_alone(desk):
    one, other = Sink(), Sink()
    desk.configure(one=one, other=other)
    desk.deliver(a_message(desk, 1, 2, 3, deaths=2))
    split = [message.payload[0][0] for message in desk.messages()]
    assert [document["deaths"] for document in split] == [1, 1, 1]
    for document in split:
        desk.deliver(document)
    desk.work()
    assert sorted(one.calls) == sorted(other.calls) == [[1], [2], [3]]


def test_an_event_during_which_processes_died_too_often_is_a_dead_letter(
    desk, tmp_path, monkeypatch
):
    """Of its backend; of the node, if it never got that far."""
    monkeypatch.setenv("EVENTTRACKING_SPOOL_DIRECTORY", str(tmp_path))
    sink = Sink()
    desk.configure(store=sink)
    desk.deliver(a_message(desk, 1, deaths=3))
    [path] = tmp_path.glob("node@*/dead")
    [letter] = DeadLetters(path, 0).letters()
    assert (letter.event["data"], letter.reason) == ({"n": 1}, "worker_deaths")
    desk.deliver(a_message(desk, 2, leaf="node.r.store", deaths=3))
    [letter] = desk.leaf().dead_letters.letters()
    assert (letter.event["data"], letter.reason) == ({"n": 2}, "worker_deaths")
    assert letter.error == "3 processes died while they delivered it"
    assert desk.ledger() == ledger(accepted=1, dead_lettered=1)
    desk.deliver(a_message(desk, 3, leaf="node.r.store", deaths=2))
    assert sink.delivered == [3]


def test_a_dead_letter_of_a_worker_goes_back_through_the_broker_to_its_one_backend(desk):
    sink, other = Sink(et.RejectedError("bad")), Sink()
    desk.configure(store=sink, other=other)
    desk.emit(1)
    desk.work()
    [letter] = desk.leaf().dead_letters.letters()
    desk.leaf().deliver(letter.event)
    desk.work()
    assert (sink.delivered, other.delivered) == ([1], [1])


@pytest.mark.parametrize("where", ["emitter", "worker"])
def test_the_parts_of_an_event_are_delivered_each_and_retried_under_their_ids(desk, where):
    def split(event):
        n = event["data"]["n"]
        return [{**event, "data": {"n": 10 * n + place}} for place in range(3)]

    class Noting(Sink):
        def send_batch(self, events, *, timeout):
            ids.append([event["id"] for event in events])
            super().send_batch(events, timeout=timeout)

    ids = []
    sink = Noting(et.RetryableError("away"))
    if where == "emitter":
        desk.configure([split], store=sink)
    else:
        desk.configure(below={"processors": [split], "backends": {"store": sink}})
    desk.emit(1, 2)
    desk.work()
    assert sink.delivered == [10, 11, 12, 20, 21, 22]
    assert ids[0] == ids[1]
    assert len(set(ids[1])) == 6
    assert desk.ledger()["delivered"] == 6
