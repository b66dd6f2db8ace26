"""`python -m eventtracking_sqlalchemy`: delivers the outboxes until it is stopped."""

from __future__ import annotations

from argparse import ArgumentParser

from sqlalchemy.exc import SQLAlchemyError

from eventtracking_core import ConfigurationError, configure
from eventtracking_core.importing import import_named
from eventtracking_core.outbox import CommandFailedError, run
from eventtracking_sqlalchemy.deliverer import tables

__all__ = ["main"]

_PROGRAM = "python -m eventtracking_sqlalchemy"


def main() -> None:
    """Configure, and deliver.

    Raises:
        SystemExit: with what went wrong.
    """
    parser = ArgumentParser(_PROGRAM, add_help=False)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--config")
    source.add_argument("--import", dest="module")
    options, arguments = parser.parse_known_args()
    try:
        if options.module:
            import_named(options.module)
        elif not {"-h", "--help"} & set(arguments):
            configure(options.config)
        run(
            arguments,
            program=f"{_PROGRAM} [--config FILE | --import MODULE]",
            type_name="sqlalchemy.outbox",
            tables=tables,
            failures=(SQLAlchemyError,),
            say=print,
        )
    except (CommandFailedError, ConfigurationError, ImportError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
