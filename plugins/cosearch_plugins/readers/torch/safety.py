"""PyTorch programs are looked at, never run: what would execute something is refused.

`torch.export.load` unpickles constants that are objects, loads compiled libraries, and lets
`torch.load` call whatever a pickle names. Networks need none of that.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cosearch.errors import InputError

OBJECTS = ("custom_obj_", "opaque_obj_")
"""How the files of constants begin that are not tensors (`torch.export.pt2_archive.constants`)."""

TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""Makes every `torch.load` refuse what is not tensors and plain containers, whoever calls it."""

OPPOSITE = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


def refuse_what_runs(path: Path) -> None:
    """Raise InputError where loading a program would run more than PyTorch itself."""
    try:
        with zipfile.ZipFile(path) as archive:
            problems = sorted(set(_problems(archive)))
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        raise InputError(str(path), [f"is damaged: {text}"]) from None
    if problems:
        raise InputError(
            str(path), problems[:20], "export a program of tensors and operators alone"
        )


def _problems(archive: zipfile.ZipFile) -> Iterator[str]:
    for member in archive.infolist():
        parts = member.filename.split("/")
        if "aotinductor" in parts or parts[-1].endswith((".so", ".dylib", ".dll", ".pyd")):
            yield f"{member.filename!r} is compiled code, which is not run"
        elif parts[-1].startswith(OBJECTS):
            yield f"{member.filename!r} is a pickled object, which is not loaded"
        elif parts[-1].endswith(".json"):
            named = _texts(json.loads(archive.read(member)))
            objects = [text for text in named if text.startswith(OBJECTS)]
            yield from (f"{member.filename!r} names a pickled object, {t!r}" for t in objects)


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a document."""
    left = [value]
    while left:
        this = left.pop()
        if isinstance(this, str):
            yield this
        elif isinstance(this, dict):
            left += this.values()
        elif isinstance(this, list):
            left += this


@contextmanager
def tensors_only() -> Iterator[None]:
    """Have PyTorch unpickle tensors and plain containers alone."""
    before = {name: os.environ.get(name) for name in (TENSORS_ONLY, OPPOSITE)}
    os.environ.pop(OPPOSITE, None)
    os.environ[TENSORS_ONLY] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
