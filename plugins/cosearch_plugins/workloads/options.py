"""Options that many workloads share."""

from __future__ import annotations

from cosearch.search.parameters import Parameter, ParameterSpace

MOST_TOKENS = 2**20
"""Of a sequence: eight times what the longest model here was trained for."""

MOST_PIXELS = 2**16
"""On the side of an image."""

BATCH = Parameter("batch", (1, 2**20), 1, doc="samples in one run", free=True)


def image(default: int) -> Parameter:
    """Return the option for the side of a square image."""
    return Parameter(
        "image", (1, MOST_PIXELS), default, "pixels", "height and width of the image", free=True
    )


def image_options(default: int) -> ParameterSpace:
    """Return the options of a network that sees square images."""
    return ParameterSpace((BATCH, image(default)))


def size(name: str, default: int, doc: str) -> Parameter:
    """Return the option for the size of a dimension."""
    return Parameter(name, (1, 2**31 - 1), default, doc=doc, free=True)


def sequence(default: int) -> Parameter:
    """Return the option for the tokens of a sequence.

    The layers' shapes hold for any length, also beyond the one that a model was trained for.
    """
    allowed = (1, MOST_TOKENS)
    return Parameter("sequence", allowed, default, "tokens", "length of a sequence", free=True)
