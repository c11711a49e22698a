"""What `cosearch doctor` looks at; each check returns findings and never raises."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from cosearch.errors import CosearchError, MissingExtraError, one_line
from cosearch.quantities import counted
from cosearch.registry.registry import KINDS, Registry

State: TypeAlias = Literal["ok", "absent", "broken"]


@frozen
class Finding:
    """One line of the examination.

    Attributes:
        what: was looked at.
        text: what was found.
        state: `broken` is a fault, `absent` is none.
    """

    what: str
    text: str
    state: State = "ok"


def versions() -> list[Finding]:
    """Return the versions of Python, the engine and everything it needs or can use."""
    found = [
        Finding("python", f"{platform.python_version()} ({platform.python_implementation()})"),
        Finding("platform", f"{platform.platform()}, {os.cpu_count()} cores"),
        Finding("cosearch", version("cosearch")),
    ]
    return found + [_package(text) for text in requires("cosearch") or ()]


def _package(requirement: str) -> Finding:
    """Return whether a requirement such as `onnx>=1.16; extra == "onnx"` is installed."""
    text, _, marker = requirement.partition(";")
    name = text.split(">")[0].split("=")[0].split("<")[0].strip()
    optional = "extra" in marker
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        if optional:
            return Finding(name, "not installed; optional", "absent")
        return Finding(name, f"not installed; needed: {text.strip()}", "broken")


def plugins(registry: Registry) -> list[Finding]:
    """Return every plugin, loaded or quarantined, and whether all it registers can be imported."""
    found = [Finding(name, distribution) for name, distribution in registry.plugins]
    found += [Finding(Path(path).name, f"plugin file {path}") for path in registry.files]
    found += [
        Finding(q.name, f"{q.distribution}: {q.error}", "broken") for q in registry.quarantined
    ]
    return found + [
        finding
        for kind, entries in registry.entries.items()
        for name in sorted(entries)
        if (finding := _importable(registry, kind, name)) is not None
    ]


def _importable(registry: Registry, kind: str, name: str) -> Finding | None:
    try:
        registry.load(kind, name)
    except MissingExtraError as error:
        return Finding(name, f"{KINDS[kind]}: {one_line(error)}", "absent")
    except CosearchError as error:
        return Finding(name, one_line(error), "broken")
    return None


def compiler() -> list[Finding]:
    """Compile and run a parallel function, and say which threading layer it took."""
    try:
        import numba

        total = _compiled_sum_of_squares(1000)
        layer = numba.threading_layer()
    except Exception as error:
        return [Finding("numba", one_line(error), "broken")]
    if total != 332_833_500:
        return [Finding("numba", f"computes wrongly: {total}", "broken")]
    return [
        Finding("numba", "compiles and runs"),
        Finding("threading layer", f"{layer}, {counted(numba.get_num_threads(), 'thread')}"),
    ]


def _compiled_sum_of_squares(n: int) -> int:
    from numba import njit, prange

    def total(n: int) -> int:
        out = 0
        for i in prange(n):
            out += i * i
        return out

    return int(njit(parallel=True)(total)(n))


def files(store: Path) -> list[Finding]:
    """Return where compiled code is cached and whether the store can be used."""
    return [_cache(), _store(store)]


def _cache() -> Finding:
    """Say where machine code is kept, and what of it there is for the kernel's own folder."""
    import cosearch.loopnest.kernel
    from cosearch.compiling.cache import place

    folder = place(Path(cosearch.loopnest.kernel.__path__[0]))
    if folder is None:
        text = "no folder can be written; every run compiles what it needs (`NUMBA_CACHE_DIR`)"
        return Finding("cache", text, "absent")
    return Finding("cache", f"{folder.path} ({folder.why})")


def _store(path: Path) -> Finding:
    from cosearch.store.repair import damages
    from cosearch.store.store import Store

    if not path.exists():
        if os.access(path.resolve().parent, os.W_OK):
            return Finding("store", f"{path}: none yet", "absent")
        return Finding("store", f"{path} cannot be made", "broken")
    try:
        wrong = damages(path)
        with Store(path, write=False) as store:
            studies = store.names()
    except CosearchError as error:
        return Finding("store", one_line(error), "broken")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return Finding("store", "; ".join(wrong[:3]) + more, "broken")
    many = counted(len(studies), "study", "studies")
    return Finding("store", f"{path}: {many}, {path.stat().st_size / 1e6:.1f} MB")
