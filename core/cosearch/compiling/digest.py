"""What a compiled function depends on, as one number that changes when any of it does.

numba's own cache looks at the file of a function and does not see a change of what it calls in
another. The digest here is of byte code: of the function, of all compiled functions it calls, and
of the constants and types that they name. A comment or a docstring changes nothing.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic
from numba.extending import is_jitted

from cosearch.compiling.bundle import Bundle, BundleType

CONSTANTS = (int, float, str, bytes, tuple, frozenset, np.generic, type(None))
OUTSIDE = ("builtins", "math", "numpy")
"""Modules whose versions are part of the key of the cache."""


def digest_of(function: FunctionType, arguments: Iterable[types.Type]) -> str:
    """Return the digest of a function, by byte code, compiled for some types.

    Raises:
        TypeError: it names something that the digest cannot tell from another.
    """
    known: dict[int, None] = {}
    parts: list[str] = [repr(_layout(kind)) for kind in arguments]
    _walk(function, known, parts)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _layout(kind: types.Type) -> object:
    if isinstance(kind, BundleType):
        return kind.name, [(name, str(field)) for name, field in kind.fields.items()]
    return str(kind)


def _walk(function: FunctionType, known: dict[int, None], parts: list[str]) -> None:
    """Add a function, and what it names, unless it is known."""
    if id(function) in known:
        return
    known[id(function)] = None
    parts.append(f"function {function.__qualname__}")
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        _add(name, cell.cell_contents, known, parts)
    for code in _codes(function.__code__):
        literal = [c for c in code.co_consts if not isinstance(c, CodeType | str)]
        parts.append(f"{code.co_code.hex()} {literal!r} {code.co_names!r}")
        for name in code.co_names:
            if name in function.__globals__:
                _add(name, function.__globals__[name], known, parts)


def _codes(code: CodeType) -> Iterable[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _add(name: str, value: Any, known: dict[int, None], parts: list[str]) -> None:  # noqa: ANN401
    """Add what a global name stands for."""
    if is_jitted(value):
        parts.append(f"{name}: {options_of(value)}")
        _walk(value.py_func, known, parts)
    elif isinstance(value, _Intrinsic):
        written = value._defn  # noqa: SLF001 - numba has no other way
        parts += [f"{name}: {code.co_code.hex()}" for code in _codes(written.__code__)]
        parts += [repr(cell.cell_contents) for cell in written.__closure__ or ()]
    elif isinstance(value, CONSTANTS):
        parts.append(f"{name} = {value!r}")
    elif isinstance(value, type) and issubclass(value, enum.Enum):
        parts.append(f"{name} = {[(member.name, member.value) for member in value]}")
    elif isinstance(value, type) and issubclass(value, Bundle):
        parts.append(f"{name} = {_layout(value._numba_type_)}")
    elif isinstance(value, type) and hasattr(value, "_fields"):
        parts.append(f"{name} = {value.__qualname__}{value._fields}")
    elif not _is_outside(value):
        raise TypeError(f"compiled code names {name}, a {type(value).__name__}")


def _is_outside(value: Any) -> bool:  # noqa: ANN401 - what a name may stand for
    if isinstance(value, ModuleType):
        return value.__name__.split(".")[0] in OUTSIDE
    named: Callable[..., Any] | type | None = (
        value if isinstance(value, type | FunctionType | BuiltinFunctionType) else None
    )
    return named is not None and named.__module__.split(".")[0] in OUTSIDE


def options_of(dispatcher: Dispatcher) -> str:
    """Return how a function is compiled."""
    options = {name: str(value) for name, value in dispatcher.targetoptions.items()}
    return repr(sorted(options.items()))
