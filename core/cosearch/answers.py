"""What plugins answer, checked where a contract's methods return.

A contract lists its verbs with what is wrong about an answer; every instance of a class that
derives from it then has these methods guarded. Whatever one raises, and whatever it answers, a
caller gets an answer that makes sense, or one sentence with the plugin, the method and the
distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial, wraps
from inspect import getattr_static, ismemberdescriptor
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from attrs import field, frozen

from cosearch.errors import CosearchError, PluginError, broken, pass_on, printable
from cosearch.origin import origin

Wrong: TypeAlias = Callable[..., str]
"""An answer and the arguments to what is wrong with it; empty where nothing is."""


@frozen
class Contract:
    """What is checked of a kind of plugin.

    Attributes:
        kind: of plugin, for messages.
        methods: by name, what is wrong with an answer and the arguments it was given for.
        values: likewise of properties, without arguments.
        verbs: the names of both.
    """

    kind: str
    methods: Mapping[str, Wrong] = field(factory=dict)
    values: Mapping[str, Wrong] = field(factory=dict)
    verbs: frozenset[str] = field(init=False)

    @verbs.default
    def _all(self) -> frozenset[str]:
        return frozenset({*self.methods, *self.values})

    def answer(
        self,
        plugin: object,
        verb: str,
        wrong: Wrong,
        call: Callable[..., Any],
        /,
        *args: Any,  # noqa: ANN401 - the method's
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Return what a call answers, or raise PluginError, with who and what, for any fault."""
        try:
            answer = call(*args, **options)
            problem = wrong(answer, *args, **options)
        except (CosearchError, MemoryError):
            raise
        except BaseException as error:
            pass_on(error)
            raise broken(self.kind, _name(plugin), verb, error, plugin) from error
        if problem:
            raise PluginError(f"{self.kind} {_name(plugin)!r} {origin(plugin)}: {verb} {problem}")
        return answer


class Answering:
    """The base of contracts whose plugins' answers are checked.

    They are where a verb is read from an instance, whatever class defines it and however: the
    class may be made anew by attrs, and `super()` inside it sees what was written.
    """

    _contract: ClassVar[Contract] = Contract("plugin")

    if not TYPE_CHECKING:  # else every name would be taken for an attribute

        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - whatever is read
            """Return an attribute: a verb's value checked, its method guarded."""
            contract = type(self)._contract  # noqa: SLF001 - its own
            if name not in contract.verbs:  # most are not, and loops of plugins come here
                return super().__getattribute__(name)
            read = partial(_read, self, name, super().__getattribute__)
            found = contract.answer(self, name, contract.values.get(name, _nothing), read)
            return _guarded(contract, self, name, found) if name in contract.methods else found


def _guarded(contract: Contract, plugin: object, verb: str, method: Callable[..., Any]) -> Any:  # noqa: ANN401
    @wraps(method)
    def call(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - the method's
        return contract.answer(plugin, verb, contract.methods[verb], method, *args, **options)

    return call


def _nothing(_: object) -> str:
    """Find nothing wrong: a method is checked when it is called."""
    return ""


def _read(plugin: Any, name: str, read: Callable[[str], Any]) -> Any:  # noqa: ANN401
    """Read an attribute; attrs makes an empty slot and `__getattr__` of a cached property."""
    try:
        return read(name)
    except AttributeError:
        cls = type(plugin)
        if not (hasattr(cls, "__getattr__") and ismemberdescriptor(getattr_static(cls, name))):
            raise
        return cls.__getattr__(plugin, name)


def _name(plugin: object) -> str:
    """Return what a plugin is called; its own `name` may be what is broken."""
    return type(plugin).__name__


def shown(value: object) -> str:
    """Return anything in a few printable words."""
    try:
        text = printable(repr(value))
    except Exception:
        return type(value).__name__
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} ..."


MOST_SHOWN = 60
"""Characters of an answer that a message shows."""


def no_text(answer: object, *_: object, **__: object) -> str:
    """Return what is wrong with what should be a text."""
    if isinstance(answer, str):
        return "" if _sayable(answer) else f"gave {shown(answer)}, which no file can hold"
    return f"gave {shown(answer)}, no text"


def _sayable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def no_numbers(answer: object, n: int) -> str:
    """Return what is wrong with what should be n real numbers; those not known are NaN."""
    if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "fiu":
        kind = getattr(answer, "dtype", type(answer).__name__)
        return f"gave {kind}: an array of real numbers is needed"
    return "" if answer.shape == (n,) else f"gave an array of shape {answer.shape} for {n} rows"


def no_amount(value: object, what: str, *, unknown: bool = False) -> str:
    """Return what is wrong with a number of 0 or more; `unknown` lets NaN pass."""
    number = float(value) if isinstance(value, Real) else -1.0
    if 0 <= number < math.inf or (unknown and math.isnan(number)):
        return ""
    return f"gave {what} as {shown(value)}"
