"""PyTorch programs are looked at, never run: what would execute something is refused.

`torch.export.load` unpickles constants that are objects, loads compiled libraries, and lets
`torch.load` call whatever a pickle names. Networks need none of that.
"""

from __future__ import annotations

import io
import json
import os
import pickletools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cosearch.errors import InputError

OBJECTS = ("custom_obj_", "opaque_obj_")
"""How the files of constants begin that are not tensors (`torch.export.pt2_archive.constants`)."""

TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""Makes every `torch.load` refuse what is not tensors and plain containers, whoever calls it."""

PICKLE = b"\x80"
"""How every pickle begins that PyTorch writes."""

PLAIN = ("collections.OrderedDict", "_codecs.encode")
"""What PyTorch's own pickles call besides PyTorch, which looks closer at its own names."""

OTHER_NAMES = ("STACK_GLOBAL", "EXT1", "EXT2", "EXT4")
"""How a pickle names something in ways that PyTorch's do not."""

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
        elif strangers := sorted({n for n in _called(archive, member) if not _known(n)}):
            yield f"{member.filename!r} is a pickle that names {', '.join(strangers[:5])}"
        elif parts[-1].endswith(".json"):
            named = _texts(json.loads(archive.read(member)))
            objects = [text for text in named if text.startswith(OBJECTS)]
            yield from (f"{member.filename!r} names a pickled object, {t!r}" for t in objects)


def _called(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[str]:
    """Yield what a member names, if it is pickled; weights are large and are not read."""
    with archive.open(member) as file:
        start = file.read(2)
        if start == b"PK" or start.startswith(PICKLE):
            yield from _named(start + file.read())


def _named(data: bytes) -> Iterator[str]:
    """Yield what the pickles in a member, or in an archive that it is, would have called."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            for member in inner.infolist():
                yield from _named(inner.read(member))
    stream = io.BytesIO(data)
    with suppress(ValueError, UnicodeDecodeError):  # raw numbers, or the rest after a pickle
        while data[stream.tell() : stream.tell() + 1] == PICKLE:
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in ("GLOBAL", "INST"):
                    yield str(argument).replace(" ", ".")
                elif opcode.name in OTHER_NAMES:
                    yield f"something by {opcode.name}"


def _known(name: str) -> bool:
    return name.partition(".")[0] == "torch" or name in PLAIN


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
