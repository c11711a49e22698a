"""What a mapper found lately, so that equal questions are searched once.

A question is everything that decides the answer. Only answers that the clock had no part in are
kept, so that no result depends on what was asked before.
"""

from __future__ import annotations

from collections.abc import Hashable

from attrs import evolve, field, frozen

from cosearch.lately import Lately
from cosearch.mapping.mapper import Mapped

MOST = 1024
"""Answers kept, some hundred bytes each: those not asked for longest are dropped."""


@frozen(eq=False)
class Recent:
    """Answers of a mapper in memory, by question."""

    _answers: Lately[Hashable, Mapped] = field(factory=lambda: Lately(MOST), repr=False)

    def find(self, question: Hashable) -> Mapped | None:
        """Return the answer, or None; its seconds are those of the search that found it."""
        known = self._answers.find(question)
        return None if known is None else evolve(known, row=known.row.copy())

    def keep(self, question: Hashable, answer: Mapped) -> None:
        """Remember an answer."""
        self._answers.keep(question, evolve(answer, row=answer.row.copy()))

    def __len__(self) -> int:
        return len(self._answers)
