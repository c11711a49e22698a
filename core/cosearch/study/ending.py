"""How a search ended."""

from __future__ import annotations

from attrs import frozen


@frozen
class Ending:
    """How a search ended.

    Attributes:
        status: as in the study's header.
        note: why, in words.
    """

    status: str
    note: str
