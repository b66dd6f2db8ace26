"""The operations of an object store: write new objects, read objects, list keys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url

from eventtracking_core import RetryableError
from eventtracking_objects.failures import failure

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["OPERATIONS", "create", "finish", "list_keys", "open_store", "read"]

T = TypeVar("T")

AT_ONCE: Final = 16
"""Requests of one call that run at the same time."""

CONNECT_TIMEOUT: Final = "5s"
REQUEST_TIMEOUT: Final = "60s"

ERRORS: Final = (BaseError, OSError)
"""What obstore raises."""


def open_store(uri: str, options: Mapping[str, str]) -> ObjectStore:
    """Return a store; nothing is connected to.

    Raises:
        ValueError: the address or an option cannot be used.
    """
    # Typed for the options of each provider, of which any may be meant here.
    make: Callable[..., ObjectStore] = from_url
    if uri.startswith("file://"):
        return make(uri, mkdir=True)
    client = {"connect_timeout": CONNECT_TIMEOUT, "timeout": REQUEST_TIMEOUT}
    if any(value.startswith("http://") for value in _endpoints(options)):
        client["allow_http"] = "true"
    retries = {"max_retries": 2, "retry_timeout": timedelta(seconds=30)}
    return make(uri, config=dict(options), client_options=client, retry_config=retries)


def _endpoints(options: Mapping[str, str]) -> Iterator[str]:
    """Yield the addresses that options and the environment give to stores."""
    for key, value in options.items():
        if "endpoint" in key.lower():
            yield value
    for key, value in os.environ.items():
        if key.startswith(("AWS_", "AZURE_", "GOOGLE_")) and "ENDPOINT" in key:
            yield value


async def create(
    store: ObjectStore, objects: Sequence[tuple[str, bytes]], seconds: float
) -> list[Exception | None]:
    """Write objects, except those that are there; return each one's failure or None."""

    async def put(key: str, data: bytes) -> None:
        with suppress(AlreadyExistsError):
            await obstore.put_async(store, key, data, mode="create", use_multipart=False)

    return await _each(put, objects, seconds)


async def read(
    store: ObjectStore, keys: Sequence[str], seconds: float
) -> list[bytes | Exception | None]:
    """Return the contents of objects, or failures; None for one that is not there."""
    contents: dict[str, bytes] = {}

    async def get(key: str) -> None:
        with suppress(FileNotFoundError):
            answer = await obstore.get_async(store, key)
            contents[key] = (await answer.bytes_async()).to_bytes()

    failures = await _each(get, [(key,) for key in keys], seconds)
    return [
        contents.get(key) if error is None else error
        for key, error in zip(keys, failures, strict=True)
    ]


async def list_keys(store: ObjectStore, directory: str, after: str, seconds: float) -> list[str]:
    """Return the keys below a directory, in order.

    Args:
        store: the store.
        directory: its path; empty for all keys.
        after: a key: only those after it; empty for all.
        seconds: that this may take.

    Raises:
        EventTrackingError: they cannot be listed.
    """
    keys: list[str] = []

    async def listing() -> None:
        with suppress(FileNotFoundError):
            async for part in obstore.list(store, directory or None, offset=after or None):
                keys.extend(each["path"] for each in part)

    (error,) = await _each(listing, [()], seconds)
    if error is not None:
        raise error
    return sorted(keys)


async def _each(
    request: Callable[..., Awaitable[None]], arguments: Sequence[tuple[Any, ...]], seconds: float
) -> list[Exception | None]:
    """Make a request for each of the arguments; return each one's failure or None."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def make(values: tuple[Any, ...]) -> Exception | None:
        try:
            async with asyncio.timeout(seconds), limit:
                await request(*values)
        except TimeoutError:
            return RetryableError("the store did not answer in time")
        except ERRORS as error:
            return failure(error)
        return None

    if len(arguments) == 1:  # most batches are one object
        return [await make(*arguments)]
    return await asyncio.gather(*map(make, arguments))


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, also where an event loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


OPERATIONS: Final[Mapping[str, Callable[..., Coroutine[Any, Any, Any]]]] = {
    "create": create,
    "read": read,
    "list_keys": list_keys,
}
