"""How Timeloop's files write factors, permutations and lists of names, in all their spellings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from attrs import frozen

from cosearch.formats.fields import Check

_FACTOR = re.compile(r"^(?P<dim>[A-Za-z_]\w*?)\s*(?P<sign><=|==|=|)\s*(?P<bound>\d+)$")
_RESIDUAL = re.compile(r"^(?P<dim>[A-Za-z_]\w*?)\s*=?\s*(?P<bound>\d+)\s*,\s*(?P<rest>\d+)$")
_ALL_DIMENSIONS = re.compile(r"^len\(\s*spec\.problem\.[\w.]+\s*\)$")
"""How files of the front end write a split behind all dimensions."""

EVERY = 2**31
"""A split behind all dimensions of any layer."""

REST = 0
"""A factor that stands for whatever the other levels leave of the dimension."""


@frozen
class Factor:
    """What is said of one dimension's factor: `C=4`, `C4`, `C<=4`, or `C=0` for the rest.

    Attributes:
        dim: as written.
        bound: the factor, or the most it may be; `REST` where the file writes 0.
        sign: which of the two.
        residual: of an imperfect factor, `C=6,2`: how many iterations the last pass has.
        text: as written.
    """

    dim: str
    bound: int
    sign: Literal["=", "<="] = "="
    residual: int | None = None
    text: str = ""

    @property
    def imperfect(self) -> bool:
        """Whether the last pass is shorter than the others."""
        return self.residual not in (None, self.bound)


def factor_of(word: str) -> Factor:
    """Return what one word says.

    Raises:
        ValueError: it is no factor.
    """
    text = " ".join(word.split())
    if found := _RESIDUAL.match(text):
        return Factor(found["dim"], int(found["bound"]), residual=int(found["rest"]), text=text)
    found = _FACTOR.match(text)
    if found is None:
        raise ValueError(f"{word!r} is no factor, such as C=2, C2 or C<=2")
    sign: Literal["=", "<="] = "<=" if found["sign"] == "<=" else "="
    return Factor(found["dim"], int(found["bound"]), sign, text=text)


def split_words(text: str) -> list[str]:
    """Return the words of a text, parted by blanks and commas; a residual stays with its factor."""
    joined = re.sub(r"\s*(<=|==|=)\s*", r"\1", text.partition("#")[0].strip())
    joined = re.sub(r"(?<=\d)\s*,\s*(?=\d)", "\0", joined)
    return [word.replace("\0", ",") for word in re.split(r"[\s,]+", joined) if word]


def permuted(given: object, dims: Sequence[str]) -> list[str]:
    """Return the dimensions that a permutation names, inner to outer, as written.

    `RSC`, `R S C`, `R,S,C` and `[R, S, C]` are the same.
    """
    if given is None:
        return []
    words = split_words(given) if isinstance(given, str) else [str(word) for word in _list(given)]
    if isinstance(given, str) and len(words) == 1 and words[0] not in dims:
        return list(words[0])
    return words


def _list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]


def _factors(value: Any) -> tuple[Factor, ...]:  # noqa: ANN401
    if value is None:
        return ()
    if isinstance(value, dict):
        value = [f"{dim}={bound}" for dim, bound in value.items()]
    if isinstance(value, str):
        return tuple(factor_of(word) for word in split_words(value))
    if isinstance(value, list):
        return tuple(factor_of(str(word)) for word in value)
    raise ValueError(f"{value!r} is not a list of factors")


def _names(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(split_words(value))
    if isinstance(value, list):
        return tuple(str(word) for word in value)
    raise ValueError(f"{value!r} is not a list of names")


def _split(value: Any) -> int | None:  # noqa: ANN401
    if isinstance(value, str) and _ALL_DIMENSIONS.match(value.strip()):
        return EVERY
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise ValueError(f"{value!r} is not a whole number of at least 0")


NO_FACTORS: tuple[Factor, ...] = ()
NO_NAMES: tuple[str, ...] = ()
NO_SPLIT: int | None = None
FACTORS = Check(_factors, NO_FACTORS)
NAMES = Check(_names, NO_NAMES)
SPLIT = Check(_split, NO_SPLIT)
