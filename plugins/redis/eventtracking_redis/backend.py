"""The backend: batches of events become entries of a stream, each once."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

# Not by the thread that delivers: a process that forks, or is patched by gevent, while a thread
# imports has locks of imports that are never released.
from redis import Redis, RedisError, ResponseError

from eventtracking_core import BatchError, Event, RetryableError, Seconds, refuse_options
from eventtracking_core.diagnostics import report
from eventtracking_core.encoding import encode_each, encode_heads, encode_msgpack, with_parts
from eventtracking_core.files.probing import unreadable

if TYPE_CHECKING:
    from redis.commands.core import Script

__all__ = ["APPEND", "CHUNK", "RedisBackend"]

Format = Literal["json", "msgpack"]

_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Parameters of an address that name files."""

_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})

_Row = tuple[int, str, str, bytes]
"""The index of an event, its id, its name, and its text."""

CHUNK: Final = 250
"""Events of one call: a script blocks the server, so it should end within a few milliseconds."""

# The mark of an event is set after its entry was added: what fails in between is added again.
APPEND: Final = """
for i = 4, #ARGV, 3 do
    local mark = KEYS[1] .. ':seen:{' .. KEYS[1] .. '}:' .. ARGV[i]
    if ARGV[2] == '0' or redis.call('EXISTS', mark) == 0 then
        if ARGV[1] == '0' then
            redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'name', ARGV[i+1], ARGV[3], ARGV[i+2])
        else
            redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
                       'id', ARGV[i], 'name', ARGV[i+1], ARGV[3], ARGV[i+2])
        end
        if ARGV[2] ~= '0' then redis.call('SET', mark, '1', 'EX', ARGV[2]) end
    end
end
"""


_ADVICE: Final = {
    "AuthenticationError": "check the user and the password in url",
    "ConnectionError": "check url and the network",
    "NOAUTH": "check the user and the password in url",
    "NOPERM": "the user may not do this",
    "TimeoutError": "check url and the network",
    "WRONGPASS": "check the user and the password in url",
    "WRONGTYPE": "the key that stream names is no stream",
}
"""What to do about a failure."""


class RedisBackend:
    """Appends events to a stream of Redis or Valkey, each once.

    An entry has the fields `id`, `name` and `event`, the whole event in JSON or MessagePack.

    Args:
        url: the server: `redis://`, `rediss://` or `unix://`.
        stream: the stream's key.
        max_length: entries that the stream keeps, approximately; all if not given.
        format: how the field `event` is encoded: `json` or `msgpack`.
        remember: seconds for which an event that is sent again is recognised; 0 for never.

    Raises:
        ValueError: an option cannot be used; the message says which.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        stream: str = "events",
        max_length: int | None = None,
        format: Format = "json",  # noqa: A002  the option's natural name
        remember: Seconds = 86_400.0,
    ) -> None:
        refuse_options(
            {
                "url must be an address such as redis://localhost:6379/0; / ? # @ : and % in its"
                " user and password are written as %2F %3F %23 %40 %3A %25": not _is_address(url),
                "stream must not be empty": not stream,
                "max_length must be positive": max_length is not None and max_length < 1,
                "format must be json or msgpack": format not in get_args(Format),
                "remember must be 0, or at least a second": 0 < remember < 1,
            }
        )
        self._url = url
        query = dict(parse_qsl(urlsplit(url).query))
        self._files = {f"url: {name}": query.get(name) for name in _FILES}
        self._stream = stream
        self._max_length = max_length or 0
        self.takes_json = format == "json"
        self._remember = int(remember)
        # Replaced as a whole: the process and the timeout it is for, the client, and the script.
        self._connected: tuple[tuple[int, float], Redis, Script] | None = None

    def review(self) -> Iterator[str]:
        """Yield a warning for each file in `url` that cannot be read."""
        return unreadable(self._files)

    def probe(self, timeout: float, /) -> str:
        """Return the server's version, over a connection of its own.

        Raises:
            RetryableError: the server cannot be reached, or refuses the login.
        """
        half = timeout / 2
        client = Redis.from_url(self._url, socket_timeout=half, socket_connect_timeout=half)
        try:
            version = client.info("server").get("redis_version")
        except (RedisError, OSError) as error:
            raise RetryableError(f"Redis: {_reason(error)}") from None
        finally:
            client.close()
        return f"the server answers (Redis {version})"

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Append events, and wait until the server has them.

        Args:
            events: any number of them.
            timeout: seconds, for all of them together.

        Raises:
            BatchError: some events failed, the others are stored.
            RetryableError: nothing was stored, and all may be tried again.
        """
        deadline = monotonic() + timeout
        rows, failures = self._rows(events)
        for start in range(0, len(rows), CHUNK):
            try:
                self._append(rows[start : start + CHUNK], deadline - monotonic())
            except RetryableError as error:
                if start == 0 and not failures:
                    raise
                failures |= {row[0]: error for row in rows[start:]}
                break
        if failures:
            raise BatchError(failures)

    def shutdown(self, _timeout: float) -> bool:
        """Close the connection; the next event opens a new one."""
        connected, self._connected = self._connected, None
        if connected is not None and connected[0][0] == os.getpid():
            connected[1].close()
        return True

    def _rows(self, events: Sequence[Event]) -> tuple[list[_Row], dict[int, Exception]]:
        events = with_parts(events)
        if self.takes_json:
            lines, failures = encode_heads(events)
            rows = zip(*lines, strict=True)
            return [(index, head.id, head.name, text) for index, text, head in rows], failures
        wires, failures = encode_each(events, encode_msgpack)
        return [
            (index, events[index]["id"], events[index]["name"], wire)
            for index, wire in wires.items()
        ], failures

    def _append(self, rows: Sequence[_Row], timeout: float) -> None:
        if timeout <= 0:
            raise RetryableError("there was no time left to send the event")
        arguments: list[str | bytes | int] = [self._max_length, self._remember, "event"]
        for _, event_id, name, text in rows:
            arguments += (event_id.encode(), name.encode(), text)
        try:
            self._script(timeout)(keys=[self._stream], args=arguments)
        except (RedisError, OSError) as error:
            # The text of the error may hold the address, and so a password.
            self._connected = None
            raise RetryableError(f"Redis: {_reason(error)}") from None

    def _script(self, timeout: float) -> Script:
        # Connecting and the call may each take half of the time.
        wanted = os.getpid(), round(timeout, 1)
        connected = self._connected
        if connected is None or connected[0] != wanted:
            client = Redis.from_url(
                self._url, socket_timeout=timeout / 2, socket_connect_timeout=timeout / 2
            )
            self._warn_of_eviction(client)
            connected = self._connected = wanted, client, client.register_script(APPEND)
        return connected[2]

    def _warn_of_eviction(self, client: Redis) -> None:
        try:
            policy = client.info("memory").get("maxmemory_policy", "")
        except ResponseError:  # this user may not ask
            return
        if policy.startswith("allkeys"):
            report(
                logging.ERROR,
                (self._stream, "eviction"),
                "Redis deletes streams when its memory is full (maxmemory-policy %s):"
                " set noeviction or a volatile policy",
                policy,
            )


def _is_address(url: str) -> bool:
    """Return whether a connection can be made of an address; nothing is connected to."""
    try:
        parts = urlsplit(url)
        Redis.from_url(url).connection_pool.make_connection()
    except Exception:  # noqa: BLE001  its own text has parts of the password
        return False
    database = parts.path.strip("/")
    if parts.scheme == "unix":
        return bool(database)
    return parts.scheme in _SCHEMES and (not database or database.isdecimal())


def _reason(error: Exception) -> str:
    """Return the code that the server put before its message, or the error's class; and advice."""
    code = str(error).partition(" ")[0]
    reason = code if code.isupper() and code.isalpha() else type(error).__name__
    advice = _ADVICE.get(reason)
    return f"{reason} ({advice})" if advice else reason
