"""The command line.

How to write a command, `cosearch/cli/<name>.py`:

    def register(app: typer.Typer) -> None:
        app.command("name", rich_help_panel=SEARCH)(name_command)


    def name_command(ctx: typer.Context, workload: WorkloadArgument, json: JsonOption = False):
        '''One line that says what it does, and a section of examples.'''
        session = session_of(ctx)
        ...

- Add the module to `COMMANDS` in `cosearch.cli.app`; the order there is the order in `--help`.
- `session_of(ctx)` (`cosearch.cli.session`) has `.output` and `.registry`; nothing else prints.
- Options that several commands share stand in `cosearch.cli.options`.
- Raise, never catch to print: `cosearch.cli.errors` turns exceptions into messages and exit codes.
  To end with another code: `raise typer.Exit(code)`.
- numba, scipy, sqlite3 and other slow imports belong inside the command's function; the module
  itself is imported by every `cosearch --help`.
- Tests call `cosearch.cli.main([...])`, which returns the exit code, and read `capsys`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; the console script `cosearch`.

    Args:
        arguments: without the program's name; those of the process if None.
    """
    # Before numpy is imported, which reads it then; workers inherit it. A strategy's matrices have
    # a few hundred rows: OpenBLAS's threads would spend longer waiting for each other than working.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from cosearch.cli.app import run

    return run(arguments)
