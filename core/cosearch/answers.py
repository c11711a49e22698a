"""What plugins answer, checked where a contract's methods return.

A contract lists its verbs with what is wrong about an answer; every class that derives from it
then has these methods guarded. Whatever one raises, and whatever it answers, a caller gets an
answer that makes sense, or one sentence with the plugin, the method and the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import isfunction
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from cosearch.errors import CosearchError, PluginError, broken, pass_on, printable
from cosearch.origin import origin

Wrong: TypeAlias = Callable[..., str]
"""An answer and the arguments to what is wrong with it; empty where nothing is."""


def guard(kind: str, cls: type, verbs: Mapping[str, Wrong]) -> None:
    """Guard the methods and properties that a class defines.

    Args:
        kind: of plugin, for messages.
        cls: of the contract's.
        verbs: what is checked of each method's answers.
    """
    for verb, wrong in verbs.items():
        found = vars(cls).get(verb)
        if isinstance(found, property) and found.fget is not None:
            setattr(cls, verb, property(guarded(kind, verb, found.fget, wrong)))
        elif isfunction(found) and not getattr(found, "__isabstractmethod__", False):
            setattr(cls, verb, guarded(kind, verb, found, wrong))


def guarded(kind: str, verb: str, method: Callable[..., Any], wrong: Wrong) -> Callable[..., Any]:
    """Return a method that raises PluginError, with who and what, for whatever goes wrong in it."""

    @wraps(method)
    def call(self: object, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the method's
        try:
            answer = method(self, *args, **options)
            problem = wrong(answer, *args, **options)
        except CosearchError:
            raise
        except BaseException as error:
            pass_on(error)
            raise broken(kind, _name(self), verb, error, self) from error
        if problem:
            raise PluginError(f"{kind} {_name(self)!r} {origin(self)}: {verb} {problem}")
        return answer

    return call


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


def no_text(answer: object, *_: object) -> str:
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
