"""Check a configuration: list everything that is wrong with it, and what will not deliver."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from eventtracking_cli import parameters
from eventtracking_cli.terminal import count, plain, print_json
from eventtracking_core import ConfigurationError, get_tracker
from eventtracking_core.config import Probe, build, connect, read, review
from eventtracking_core.errors import Problem
from eventtracking_core.importing import import_named
from eventtracking_core.pipeline.pipeline import Pipeline

__all__ = ["check"]


@click.command()
@click.argument("file", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path))
@parameters.config
@click.option(
    "--types",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Import a module that registers event types, and check `accepts` against them.",
)
@click.option("--connect", "connects", is_flag=True, help="Try to reach each backend as well.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Maximum time for --connect.",
)
@parameters.as_json
def check(
    file: Path | None,
    config: Path | None,
    modules: tuple[str, ...],
    connects: bool,  # noqa: FBT001
    timeout: float,
    *,
    as_json: bool,
) -> None:
    """Check a configuration, and list every problem.

    Without CONFIG, it checks the file that EVENTTRACKING_CONFIG_FILE names, or the table in
    pyproject.toml. Each problem has its path and a fix. Warnings name what will probably not
    deliver. The components are created, but nothing is opened; --connect reaches the backends,
    stores nothing, and exits with 1 if one cannot be reached. Exits with 1 if there are problems.
    """
    for module in modules:
        try:
            import_named(module)
        except ImportError as error:
            raise click.BadParameter(str(error), param_hint="--types") from error
    try:
        configuration = read(file or config)
        built = build(configuration, owner=get_tracker() if modules else None)
    except ConfigurationError as error:
        if not as_json:
            raise
        print_json(_result(error.source, error.problems, (), ok=False))
        raise click.exceptions.Exit(1) from error
    warnings = review(configuration, built.root, has_types=bool(modules))
    probes = connect(built.root, timeout) if connects else []
    built.shutdown(timeout)
    ok = all(probe.ok is not False for probe in probes)
    if as_json:
        result = _result(configuration.source, (), warnings, ok=ok)
        if connects:
            result["backends"] = [probe._asdict() for probe in probes]
        print_json(result)
        _exit_unless(ok)
        return
    for warning in warnings:
        click.echo(f"warning: {plain(warning)}", err=True)
    click.echo(f"{plain(configuration.source)}: ok ({_summary(built)})")
    for probe in probes:
        click.echo(f"  {_reached(probe)}")
    _exit_unless(ok)


def _exit_unless(ok: bool) -> None:  # noqa: FBT001
    if not ok:
        raise click.exceptions.Exit(1)


def _reached(probe: Probe) -> str:
    mark = {True: "ok", False: "FAILED", None: "-"}[probe.ok]
    return plain(f"{probe.path} ({probe.type}): {mark}: {probe.message}")


def _result(
    source: str, problems: Iterable[Problem], warnings: Iterable[Problem], *, ok: bool
) -> dict[str, object]:
    return {
        "source": source,
        "ok": ok,
        "problems": [problem._asdict() for problem in problems],
        "warnings": [warning._asdict() for warning in warnings],
    }


def _summary(built: Pipeline) -> str:
    leaves = built.root.leaves()
    names = ", ".join(f"{plain(leaf.name)} ({plain(leaf.type_name)})" for leaf in leaves)
    backends = count(len(leaves), "backend")
    providers = count(len(built.providers), "context provider")
    return f"{providers}; {backends}: {names}" if names else f"{providers}; {backends}"
