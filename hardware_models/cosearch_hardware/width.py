"""The width of words as a choice: what it changes is what is computed, so it is asked for."""

from __future__ import annotations

from attrs import evolve

from cosearch.search.parameters import Parameter, ParameterSpace

HELD, SEARCH = "held", "search"

WIDTH = Parameter(
    "word_bits", (HELD, SEARCH), doc="the width of words: as the baseline's, or searched too"
)
"""The option of a hardware model."""


def with_width(space: ParameterSpace, word_bits: str) -> ParameterSpace:
    """Return a space in which widths are searched where the option asks for it."""
    if word_bits == HELD:
        return space
    return evolve(
        space,
        parameters=tuple(evolve(p, searched=p.changes == "width") for p in space.parameters),
    )
