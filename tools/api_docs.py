"""Write docs/api.md from the docstrings of what `import cosearch` offers.

python tools/api_docs.py            # writes the page
python tools/api_docs.py --check    # exits with 1 where the page is another
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

import cosearch
from cosearch.trials.setting import KEY
from cosearch.trials.spec import SETTINGS

PAGE = Path(__file__).parents[1] / "docs" / "api.md"

HEAD = """# The Python interface

What `import cosearch` offers; a name is imported when it is first asked for. This page is made
from the docstrings by `python tools/api_docs.py`.

Workloads, hardware models, strategies, mappers and objectives are given as names, as objects or
as classes. What has no registered name runs in this process, serially, in memory alone, and the
result says so in its `note`; a plugin file (`plugins="FILE.py"`, `--plugins FILE.py`,
`COSEARCH_PLUGINS`) gives it a name. Three scripts in `examples/` show it at work:
`first_codesign.py`, `accelerator_of_ones_own.py` and `two_optimizers.py`.
"""


def page() -> str:
    """Return the page."""
    things = {name: thing(name) for name in cosearch.__all__}
    functions = [n for n in things if inspect.isfunction(things[n])]
    classes = [n for n in things if inspect.isclass(things[n])]
    others = [n for n in things if n not in {*functions, *classes}]
    parts = [HEAD, "## Functions\n", *(described(n, things[n]) for n in functions)]
    parts += ["## Settings\n", settings()]
    parts += ["## Classes\n", *(described(n, things[n]) for n in classes)]
    parts += ["## Markers\n", *(f"### {n}\n\nMarks the hooks of a plugin.\n" for n in others)]
    return "\n".join(parts)


def thing(name):
    """Return what a name stands for, also where a module has the same name."""
    home = cosearch.MODULE_OF[name]
    return getattr(importlib.import_module(f"cosearch.{home}"), name)


def described(name, what) -> str:
    """Return a heading with the docstring; of a function with its signature."""
    doc = inspect.cleandoc(what.__doc__ or "")
    if inspect.isclass(what):
        return f"### {name}\n\n`{what.__module__}.{what.__qualname__}`\n\n```text\n{doc}\n```\n"
    parameters = inspect.signature(what).parameters.values()
    shown = []
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        default = "" if p.default is p.empty else f"={told(p.default)}"
        shown.append(("**" if p.kind is p.VAR_KEYWORD else "") + p.name + default)
    return f"### {name}\n\n`cosearch.{name}({', '.join(shown)})`\n\n```text\n{doc}\n```\n"


def told(default) -> str:
    """Return a default as one writes it."""
    return repr(str(default)) if isinstance(default, Path) else repr(default)


def settings() -> str:
    """Return the table of settings."""
    lines = ["| name | flag | default | what it does |", "|---|---|---|---|"]
    for name, attribute in SETTINGS.items():
        how = attribute.metadata[KEY]
        default = attribute.default
        text = ",".join(default) if isinstance(default, tuple) else str(default)
        shown = "required" if text == "NOTHING" else text or "none"
        about = how.about.replace("|", "\\|")
        lines.append(f"| `{name}` | `{' '.join(how.flags)}` | {shown} | {about} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(int(PAGE.read_text(encoding="utf-8") != page()))
    PAGE.write_text(page(), encoding="utf-8")
