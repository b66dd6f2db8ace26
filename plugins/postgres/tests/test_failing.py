"""The server ends, says nothing, or loses its answers, while events come."""

from __future__ import annotations

from faults import check_silence
from sending import send

from eventtracking_postgres import PostgresBackend


def test_a_server_that_falls_silent_is_left_in_time(postgres, an_event, fault_proxy, schema):
    proxy = fault_proxy("127.0.0.1", postgres.port)
    uri = postgres.uri.replace(f":{postgres.port}", f":{proxy.port}")
    store = PostgresBackend(uri, f"{schema}.events")
    send(store, an_event())
    check_silence(proxy, store, an_event())
    assert store.count() == 2
    store.shutdown(5)
