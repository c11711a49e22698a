"""PyTorch programs are looked at, never run: what would execute something is refused.

`torch.export.load` unpickles constants that are objects, loads compiled libraries, and lets
`torch.load` call whatever a pickle names. Networks need none of that.
"""

from __future__ import annotations

import io
import json
import os
import pickletools
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cosearch.errors import InputError

OBJECTS = ("custom_obj_", "opaque_obj_")
"""How the files of constants begin that are not tensors (`torch.export.pt2_archive.constants`)."""

TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""Makes every `torch.load` refuse what is not tensors and plain containers, whoever calls it."""

PICKLED = (".pt", ".pkl")
"""How the members end that PyTorch unpickles, of whatever protocol."""

TENSOR = re.compile(r"(.*/)?(weights|constants)/(weight|tensor)_[0-9]+")
"""A tensor's numbers as they are in memory, unless a document says `use_pickle` of it."""

STORAGE = re.compile(r"[^/]+/data/[0-9]+")
"""The same in an archive of `torch.save`."""

PROTOCOLS = tuple(bytes([0x80, n]) for n in range(2, 6))
"""How pickles of protocols 2 to 5 begin."""

ARCHIVE = b"PK\x03\x04"
"""By which `torch.load` takes a file for an archive."""

IN_A_ROW = 5
"""Pickles that `torch.load` reads one after another; raw numbers follow."""

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
    by_pickle: set[str] = set()
    for member in archive.infolist():
        if member.filename.lower().endswith(".json"):
            document = json.loads(archive.read(member))
            by_pickle.update(_by_pickle(document))
            objects = [text for text in _texts(document) if text.startswith(OBJECTS)]
            yield from (f"{member.filename!r} names a pickled object, {t!r}" for t in objects)
    for member in archive.infolist():
        parts = member.filename.lower().split("/")
        if "aotinductor" in parts or parts[-1].endswith((".so", ".dylib", ".dll", ".pyd")):
            yield f"{member.filename!r} is compiled code, which is not run"
        elif parts[-1].startswith(OBJECTS):
            yield f"{member.filename!r} is a pickled object, which is not loaded"
        else:
            named = _called(archive, member, unpickled=parts[-1] in by_pickle)
            if strangers := sorted({name for name in named if not _known(name)}):
                yield f"{member.filename!r} is a pickle that names {', '.join(strangers[:5])}"


def _by_pickle(document: object) -> Iterator[str]:
    """Yield the files of tensors that a document says are pickled; case does not count."""
    for this in _values(document):
        if isinstance(this, dict) and this.get("use_pickle"):
            yield str(this.get("path_name")).lower().rpartition("/")[2]


def _called(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, unpickled: bool = False
) -> Iterator[str]:
    """Yield what a member names, if it is pickled; tensors are large and are not read."""
    name = member.filename.lower()
    unpickled = unpickled or name.endswith(PICKLED)
    if not unpickled and TENSOR.fullmatch(name):
        return
    with archive.open(member) as file:
        start = file.read(len(ARCHIVE))
        if unpickled or start.startswith((ARCHIVE, *PROTOCOLS)):
            yield from _named(start + file.read())


def _named(data: bytes) -> Iterator[str]:
    """Yield what the pickles in a member, or in an archive that it is, would have called."""
    if data.startswith(ARCHIVE):
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as inner:
                for member in inner.infolist():
                    if not STORAGE.fullmatch(member.filename):
                        yield from _named_in_a_row(inner.read(member))
        return
    yield from _named_in_a_row(data)


def _named_in_a_row(data: bytes) -> Iterator[str]:
    stream = io.BytesIO(data)
    with suppress(ValueError, UnicodeDecodeError):  # no pickle, or one cut short
        for _ in range(IN_A_ROW):
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in ("GLOBAL", "INST"):
                    yield str(argument).replace(" ", ".")
                elif opcode.name in OTHER_NAMES:
                    yield f"something by {opcode.name}"


def _known(name: str) -> bool:
    return name.partition(".")[0] == "torch" or name in PLAIN


def _texts(document: object) -> Iterator[str]:
    return (value for value in _values(document) if isinstance(value, str))


def _values(document: object) -> Iterator[object]:
    """Yield a document and every value in it."""
    left = [document]
    while left:
        this = left.pop()
        yield this
        if isinstance(this, dict):
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
