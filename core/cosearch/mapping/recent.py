"""What a mapper found lately, so that equal questions are searched once.

A question is everything that decides the answer. Only answers that the clock had no part in are
kept, so that no result depends on what was asked before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from attrs import evolve, field, frozen

from cosearch.mapping.mapper import Mapped

MOST = 1024
"""Answers kept, some hundred bytes each: those not asked for longest are dropped."""


@frozen(eq=False)
class Recent:
    """Answers of a mapper in memory, by question.

    Attributes:
        most: kept at once.
    """

    most: int = MOST
    _answers: OrderedDict[Hashable, Mapped] = field(factory=OrderedDict, repr=False)

    def find(self, question: Hashable) -> Mapped | None:
        """Return the answer, or None; its seconds are those of the search that found it."""
        known = self._answers.get(question)
        if known is None:
            return None
        self._answers[question] = known
        self._answers.move_to_end(question)
        return evolve(known, row=known.row.copy())

    def keep(self, question: Hashable, answer: Mapped) -> None:
        """Remember an answer."""
        self._answers[question] = evolve(answer, row=answer.row.copy())
        self._answers.move_to_end(question)
        while len(self._answers) > self.most:
            self._answers.popitem(last=False)

    def __len__(self) -> int:
        return len(self._answers)
