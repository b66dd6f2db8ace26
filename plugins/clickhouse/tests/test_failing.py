"""The server ends, says nothing, or loses its answers, while events come."""

from __future__ import annotations

import pytest
from faults import check_silence

from eventtracking_clickhouse import ClickHouseBackend
from eventtracking_core import RetryableError


def test_a_server_that_falls_silent_is_left_in_time(clickhouse, an_event, fault_proxy, database):
    proxy = fault_proxy("127.0.0.1", clickhouse.port)
    uri = clickhouse.uri.replace(f":{clickhouse.port}", f":{proxy.port}")
    store = ClickHouseBackend(uri, f"{database}.events", create=True)
    store.send_batch([an_event()], timeout=60)
    check_silence(proxy, store, an_event())
    assert store.count() == 2
    store.shutdown(5)


def test_an_answer_that_breaks_off_is_no_answer(
    a_store, an_event, clickhouse, fault_proxy, database
):
    a_store().send_batch([an_event(n=n, text="x" * 1000) for n in range(2000)], timeout=60)
    proxy = fault_proxy("127.0.0.1", clickhouse.port)
    uri = clickhouse.uri.replace(f":{clickhouse.port}", f":{proxy.port}")
    events = ClickHouseBackend(uri, f"{database}.events").query()
    proxy.bytes_per_second = 500_000
    next(events)
    proxy.reset()
    with pytest.raises(RetryableError):
        list(events)
