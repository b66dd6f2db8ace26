"""Check, run and inspect event tracking from a terminal."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> None:
    """Run the program `eventtracking`.

    Args:
        args: what the command line says after the program's name; the process's own by default.

    Raises:
        SystemExit: always: 0, 1 where problems were found, 2 for wrong usage, 130 after Ctrl-C.
    """
    from eventtracking_cli.program import run  # noqa: PLC0415  importing the package stays free

    run(args)
