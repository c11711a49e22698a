"""A complete package for a plugin of some kind: installable, and tested by the conformance kit."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from cosearch.errors import CosearchError
from cosearch_plugins.kit.templates import KINDS, PROJECT, README, TEST


def scaffold(name: str, kind: str, folder: Path) -> list[Path]:
    """Write a package into a new folder and return its files.

    Args:
        name: as users will write it, such as `my-machine`.
        kind: one of `KINDS`.
        folder: made; it may not exist.

    Raises:
        CosearchError: the name cannot be one, or the folder exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise CosearchError(
            f"{name!r} cannot be a plugin's name",
            "use small letters, digits and hyphens: my-one",
        )
    module = name.replace("-", "_")
    module = f"{module}_plugin" if keyword.iskeyword(module) else module
    if folder.exists():
        raise CosearchError(f"{folder} exists already", "name another with --directory")
    code, about, to_try = KINDS[kind]
    test = TEST if kind != "reader" else TEST.replace("check_named(load_registry(), \"@NAME@\")",
                                                      "check_readers(load_registry())")  # fmt: skip
    test = test.replace("import check_named", "import check_readers") if kind == "reader" else test
    files = {
        "pyproject.toml": PROJECT,
        "README.md": README.replace("@TRY@", to_try),
        f"src/{module}/__init__.py": code,
        f"tests/test_{module}.py": test,
    }
    words = {"@NAME@": name, "@MODULE@": module, "@ABOUT@": about, "@CLASS@": _class(name)}
    return [_written(folder / path, text, words) for path, text in files.items()]


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _written(path: Path, text: str, words: dict[str, str]) -> Path:
    for word, value in words.items():
        text = text.replace(word, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n", encoding="utf-8")
    return path
