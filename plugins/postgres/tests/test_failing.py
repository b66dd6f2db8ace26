"""The server ends, says nothing, or loses its answers, while events come."""

from __future__ import annotations

import pytest
from faults import check_silence
from sending import send

from eventtracking_postgres import PostgresBackend


@pytest.mark.parametrize("connected", [False, True])
def test_a_server_that_says_nothing_is_left_in_time(
    connected, postgres, an_event, fault_proxy, schema
):
    proxy = fault_proxy("127.0.0.1", postgres.port)
    uri = postgres.uri.replace(f":{postgres.port}", f":{proxy.port}")
    store = PostgresBackend(uri, f"{schema}.events")
    if connected:
        send(store, an_event())
    check_silence(proxy, store, an_event())
    assert store.count() == 1 + connected
    store.shutdown(5)
