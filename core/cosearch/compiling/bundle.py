"""Many arrays and numbers that compiled code takes as one object.

A bundle is a class of annotated fields. To compiled code it is one pointer to a table of where its
arrays lie, how long they are, and its numbers. The table never changes, and the loads say so
(`!invariant.load`), so that LLVM may keep what it has read across any store. Handing on a hundred
arrays costs what one pointer costs, at run time and for the compiler; numba lowers the same arrays
as a tuple at every call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from struct import Struct
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NoReturn,
    Self,
    TypeAlias,
    dataclass_transform,
)
from typing import get_type_hints as hints_of

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel.models import OpaqueModel
from numba.core.extending import NativeValue, lower_getattr_generic, register_model, unbox
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.np.arrayobj import make_array, populate_array
from numba.np.numpy_support import as_dtype
from numpy.typing import NDArray

WORD = 8
"""Bytes of an entry of a bundle's table."""


def _of(kind: types.Type, ndim: int) -> types.Array:
    return types.Array(kind, ndim, "C")


Floats: TypeAlias = Annotated[NDArray[np.float64], _of(types.float64, 1)]
Floats2: TypeAlias = Annotated[NDArray[np.float64], _of(types.float64, 2)]
Floats3: TypeAlias = Annotated[NDArray[np.float64], _of(types.float64, 3)]
Ints: TypeAlias = Annotated[NDArray[np.int64], _of(types.int64, 1)]
Ints2: TypeAlias = Annotated[NDArray[np.int64], _of(types.int64, 2)]
Ints3: TypeAlias = Annotated[NDArray[np.int64], _of(types.int64, 3)]
Shorts3: TypeAlias = Annotated[NDArray[np.int32], _of(types.int32, 3)]
Counts: TypeAlias = Annotated[NDArray[np.uint64], _of(types.uint64, 1)]
Bools: TypeAlias = Annotated[NDArray[np.bool_], _of(types.boolean, 1)]
Bools2: TypeAlias = Annotated[NDArray[np.bool_], _of(types.boolean, 2)]
Bools3: TypeAlias = Annotated[NDArray[np.bool_], _of(types.boolean, 3)]

NUMBERS: dict[Any, tuple[types.Type, str]] = {
    int: (types.int64, "q"),
    float: (types.float64, "d"),
    bool: (types.boolean, "q"),
    np.uint64: (types.uint64, "Q"),
}
"""Numba's type of a number, and how `struct` writes its word of the table."""


class BundleType(types.Type):
    """The type of a bundle to numba.

    Attributes:
        fields: name to numba type.
        places: name to the first word of a field: an array has its address and its shape.
        words: of the table.
    """

    def __init__(self, name: str, fields: dict[str, types.Type]) -> None:
        super().__init__(name=f"Bundle({name})")
        self.fields = fields
        self.places: dict[str, int] = {}
        self.words = 0
        for field, kind in fields.items():
            self.places[field] = self.words
            self.words += 1 + (kind.ndim if isinstance(kind, types.Array) else 0)


@dataclass_transform(frozen_default=True)
class Bundle:
    """The base of all bundles; subclasses annotate their fields, and only those."""

    _numba_type_: ClassVar[BundleType]
    _plan: ClassVar[dict[str, tuple[int, tuple[np.dtype[Any], int] | None]]]
    _layout: ClassVar[Struct]
    _defaults: ClassVar[dict[str, Any]]
    if not TYPE_CHECKING:  # else taken for fields
        address: int

    def __init_subclass__(cls) -> None:
        """Read the fields of a subclass."""
        hints = hints_of(cls, include_extras=True)
        own = {name: hints[name] for name in cls.__annotations__}
        cls._numba_type_ = BundleType(
            cls.__qualname__, {name: numba_type(hint) for name, hint in own.items()}
        )
        cls._defaults = {name: vars(cls)[name] for name in own if name in vars(cls)}
        cls._plan = {
            name: (place, _array(cls._numba_type_.fields[name]))
            for name, place in cls._numba_type_.places.items()
        }
        cls._layout = Struct("=" + "".join(map(_words, cls._numba_type_.fields.values())))

    def __init__(self, *values: Any, **named: Any) -> None:  # noqa: ANN401 - as annotated
        plan = self._plan
        given = self._defaults | dict(zip(plan, values, strict=False)) | named
        if given.keys() != plan.keys() or len(values) > len(plan):
            raise TypeError(f"{type(self).__name__} takes {', '.join(plan)}")
        self._fill([0] * self._numba_type_.words, given, given)

    def _fill(self, words: list[Any], values: dict[str, Any], changes: dict[str, Any]) -> None:
        """Enter the changes among the values in the table, whose words are given."""
        for name, value in changes.items():
            place, array = self._plan[name]
            if array is None:
                words[place] = int(value) if isinstance(value, np.bool_) else value
            else:
                words[place : place + 1 + array[1]] = self._located(name, value, array)
        table = np.empty(len(words), dtype=np.int64)
        self._layout.pack_into(table.data, 0, *words)
        self.__dict__.update(values, _table=table, address=address_of(table))

    def _located(
        self, name: str, value: NDArray[Any], array: tuple[np.dtype[Any], int]
    ) -> tuple[int, ...]:
        """Return where an array lies and its shape, or raise TypeError."""
        ok = type(value) is np.ndarray and (value.dtype, value.ndim) == array
        if not ok or not value.flags.c_contiguous:
            raise TypeError(
                f"{type(self).__name__}.{name} is to be {array[0]} of {array[1]} dimensions, "
                f"contiguous, not {getattr(value, 'dtype', type(value))} of shape {np.shape(value)}"
            )
        return (address_of(value), *value.shape)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __iter__(self) -> Iterator[Any]:
        return (self.__dict__[name] for name in self._plan)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self)

    def replace(self, **changes: Any) -> Self:  # noqa: ANN401 - as annotated
        """Return a bundle with other values for some fields."""
        if not changes.keys() <= self._plan.keys():
            raise TypeError(f"{type(self).__name__} has {', '.join(self._plan)}")
        other = object.__new__(type(self))
        own = {name: self.__dict__[name] for name in self._plan}
        other._fill([*self._layout.unpack(self.__dict__["_table"].data)], own | changes, changes)
        return other


def _slow_address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _fast_address(array: NDArray[Any]) -> int:
    """Return the field after an array's object head, numpy's `PyArrayObject.data`."""
    return ctypes.c_ssize_t.from_address(id(array) + object.__basicsize__).value


_TRIED = np.arange(3)
address_of = _fast_address if _fast_address(_TRIED) == _slow_address(_TRIED) else _slow_address
"""Where an array's elements lie; asking numpy itself takes five times as long."""


def _array(kind: types.Type) -> tuple[np.dtype[Any], int] | None:
    """Return what elements an array has and its dimensions; None for a number."""
    return (np.dtype(as_dtype(kind.dtype)), kind.ndim) if isinstance(kind, types.Array) else None


def _words(kind: types.Type) -> str:
    """Return how `struct` writes a field: a number, or an array's address and lengths."""
    return "q" * (1 + kind.ndim) if isinstance(kind, types.Array) else dict(NUMBERS.values())[kind]


def numba_type(hint: Any) -> types.Type:  # noqa: ANN401 - an annotation
    """Return what an annotation is to numba."""
    if hint in NUMBERS:
        return NUMBERS[hint][0]
    if isinstance(hint, type) and issubclass(hint, Bundle):
        return hint._numba_type_
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        kinds = [numba_type(kind) for kind in hints_of(hint).values()]
        same = all(kind == kinds[0] for kind in kinds)
        if same:
            return types.NamedUniTuple(kinds[0], len(kinds), hint)  # type: ignore[no-any-return, attr-defined]
        return types.NamedTuple(kinds, hint)  # type: ignore[no-any-return, attr-defined]
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, types.Type):
            return extra
    raise TypeError(f"{hint} says nothing to compiled code; see cosearch.compiling.bundle")


register_model(BundleType)(OpaqueModel)


@unbox(BundleType)  # type: ignore[untyped-decorator]  # numba has no types
def _unbox(typ: BundleType, obj: Any, c: Any) -> NativeValue:  # noqa: ANN401, ARG001 - numba's
    address = c.pyapi.object_getattr_string(obj, "address")
    pointer = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return NativeValue(pointer, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


@infer_getattr
class _Attributes(AttributeTemplate):  # type: ignore[misc]  # numba has no types
    key = BundleType

    def generic_resolve(self, typ: BundleType, attr: str) -> types.Type | None:
        return typ.fields.get(attr)


@lower_getattr_generic(BundleType)  # type: ignore[untyped-decorator]  # numba has no types
def _lower_field(context: Any, builder: Any, typ: BundleType, value: Any, attr: str) -> Any:  # noqa: ANN401 - numba's
    wanted, place = typ.fields[attr], typ.places[attr]
    if not isinstance(wanted, types.Array):
        if wanted is types.boolean:
            return builder.trunc(_word(builder, value, place, ir.IntType(64)), ir.IntType(1))
        return _word(builder, value, place, context.get_value_type(wanted))
    itemsize = context.get_abi_sizeof(context.get_data_type(wanted.dtype))
    data = _word(builder, value, place, context.get_data_type(wanted.dtype).as_pointer())
    shape = [_word(builder, value, place + 1 + i, ir.IntType(64)) for i in range(wanted.ndim)]
    strides = [ir.Constant(ir.IntType(64), itemsize)]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length, flags=("nsw",)))
    array = make_array(wanted)(context, builder)
    populate_array(array, data, shape, strides, itemsize, meminfo=None)
    return array._getvalue()  # noqa: SLF001 - numba's way


def _word(builder: Any, pointer: Any, place: int, kind: Any) -> Any:  # noqa: ANN401 - llvmlite's
    table = builder.bitcast(pointer, ir.IntType(64).as_pointer())
    address = builder.gep(table, [ir.Constant(ir.IntType(32), place)], inbounds=True)
    loaded = builder.load(builder.bitcast(address, kind.as_pointer()))
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded
