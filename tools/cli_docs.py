"""Write docs/commands.md, the reference of the command line, from what `--help` says.

python tools/cli_docs.py        # `make docs` does so; the page is not kept
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from typer.main import get_command

from cosearch.cli.app import make_app, run
from cosearch.cli.output import Output
from cosearch.hooks.discovery import load_registry

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"

HEAD = """# Every command

Made from `cosearch COMMAND --help` by `python tools/cli_docs.py`; [cli.md](cli.md) introduces them.
"""


def page() -> str:
    """Return the page: the program itself, then its commands in alphabetical order."""
    app = get_command(make_app(load_registry(third_party=False), Output()))
    parts = [HEAD, _block(told("--help"))]
    for path in paths(app):
        parts += [f"\n## {' '.join(path)}\n", _block(told(*path, "--help"))]
    return "\n".join(parts)


def paths(group, before=()):
    """Yield the words of each command, those of groups too."""
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from paths(command, (*before, name))
        else:
            yield (*before, name)


def told(*arguments: str) -> str:
    """Return what a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run(list(arguments))
    if code:
        raise SystemExit(f"cosearch {' '.join(arguments)} ends with {code}")
    return out.getvalue()


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```"


if __name__ == "__main__":
    os.environ.update(NO_COLOR="1", COLUMNS="100", COSEARCH_NO_PLUGINS="1")
    PAGE.write_text(page() + "\n", encoding="utf-8")
    print(f"wrote {PAGE}")
