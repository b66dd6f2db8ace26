"""Run the endpoint for browsers alone, or a page that shows it at work."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import click

import eventtracking_core as et
from eventtracking_web.asgi import ASGIMiddleware
from eventtracking_web.collecting import Collector
from eventtracking_web.collecting import collector as make
from eventtracking_web.collecting.policy import Unregistered

__all__ = ["collector"]


@click.command()
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="A configuration.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any."
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY[=PREFIX,…]",
    help="A public write key, and the prefixes of the names that it may send; repeatable.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="An origin whose pages may send, such as https://example.org; repeatable.",
)
@click.option(
    "--unregistered",
    type=click.Choice(get_args(Unregistered)),
    default="accept",
    show_default=True,
    help="What happens to names that are not registered.",
)
@click.option(
    "--trusted-proxies",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="How many proxies append to X-Forwarded-For.",
)
@click.option("--demo", is_flag=True, help="Serve a page of a course, and show its events.")
def collector(
    *,
    config: Path | None,
    host: str,
    port: int,
    keys: Sequence[str],
    origins: Sequence[str],
    unregistered: Unregistered,
    trusted_proxies: int,
    demo: bool,
) -> None:
    """Receive events from browsers until Ctrl-C.

    Events go through the processors and backends of the configuration. --demo needs no
    configuration: it serves a page at a loopback address and shows the events that it sends.
    """
    if demo:
        _serve_demo(port)
        return
    if not keys or not origins:
        raise click.UsageError("name a write key with --key, and an origin with --origin")
    et.configure(config)
    tracker = et.get_tracker()
    if not tracker.root.leaves():
        raise click.ClickException("the configuration has no backend: add one")
    try:
        endpoint = make(
            tracker,
            keys=_prefixes(keys),
            origins=origins,
            unregistered=unregistered,
            trusted_proxies=trusted_proxies,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _serve(endpoint, host, port)


def _prefixes(keys: Sequence[str]) -> Mapping[str, Sequence[str]]:
    split = [key.partition("=") for key in keys]
    return {key: [each for each in prefixes.split(",") if each] for key, _, prefixes in split}


def _serve(endpoint: Collector, host: str, port: int) -> None:
    try:
        import uvicorn  # noqa: PLC0415  an extra
    except ImportError:
        message = "this needs uvicorn: python -m pip install 'eventtracking-web[server]'"
        raise click.ClickException(message) from None
    with _listening(host, port) as listener:
        # Whose X-Forwarded-For counts is the endpoint's decision.
        server = uvicorn.Server(
            uvicorn.Config(
                ASGIMiddleware(endpoint),
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
            )
        )
        click.echo(_url(listener))
        server.run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host} at port {port}: {error}") from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _serve_demo(port: int) -> None:
    from eventtracking_web.demo import server  # noqa: PLC0415  the endpoint does not need it

    try:
        serving = server(port)
    except OSError as error:
        raise click.ClickException(f"cannot listen at port {port}: {error}") from None
    with serving:
        click.echo(f"Open http://127.0.0.1:{serving.server_port}/ in a browser. Ctrl-C ends it.")
        serving.serve_forever()
