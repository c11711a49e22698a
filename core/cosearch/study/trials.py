"""The trials of a study by number; of a long one all but the last stand in the store alone."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias, overload

from cosearch.lately import Lately
from cosearch.trials.trial import Trial

KEPT = 65_536
"""Trials and results of layers kept at hand, some kB each: 32,768 trials of a layer each."""

BLOCK = 2_048
"""Trials and results of layers read from the store at once."""

BLOCKS = 4
"""Blocks that were read and are kept, for who walks along the trials."""

Reader: TypeAlias = Callable[[int, int], Sequence[Trial]]
"""First and last number to the stored trials from one to the other."""


class Trials(Mapping[int, Trial]):
    """Trials by number, in the order of numbers; while several run at once, there may be gaps.

    Args:
        read: reads stored trials; None keeps all of them here.
        kept: trials and results of their layers that are kept here, of the last ones.
    """

    def __init__(self, read: Reader | None = None, kept: int = KEPT) -> None:
        self._read, self._most = read, kept
        self._kept: dict[int, Trial] = {}
        self._weight = 0
        self._blocks: Lately[tuple[int, int], dict[int, Trial]] = Lately(BLOCKS)
        self._heaviest = 1
        self._first, self._beyond = 0, list[int]()  # 1 to the first, and what lies beyond a gap

    def add(self, trial: Trial) -> None:
        """Take in a trial, which is stored where others are read from the store."""
        number = trial.number
        if number == self._first + 1:
            self._first = number
            while self._beyond and self._beyond[0] == self._first + 1:
                self._first = self._beyond.pop(0)
        elif number not in self:
            insort(self._beyond, number)
        self._weight += trial.rows if number not in self._kept else 0
        self._heaviest = max(self._heaviest, trial.rows)
        self._kept[number] = trial
        if self._read is not None and self._weight > self._most:
            for old in list(islice(self._kept, max(1, len(self._kept) // 8))):
                self._weight -= self._kept.pop(old).rows
            self._blocks.clear()  # one read while it was being filled has gaps

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_left(self._beyond, number)
        return 1 <= number <= self._first or self._beyond[at : at + 1] == [number]

    def __getitem__(self, number: int) -> Trial:
        known = self._kept.get(number)
        if known is not None:
            return known
        if number not in self or self._read is None:
            raise KeyError(number)
        size = max(1, BLOCK // self._heaviest)
        key = (number - number % size, size)
        return self._blocks.get(key, lambda: self._block(*key))[number]

    def _block(self, start: int, size: int) -> dict[int, Trial]:
        if self._read is None:
            return {}
        return {trial.number: trial for trial in self._read(start, start + size - 1)}

    def __iter__(self) -> Iterator[int]:
        yield from range(1, self._first + 1)
        yield from list(self._beyond)

    def __len__(self) -> int:
        return self._first + len(self._beyond)

    @property
    def last(self) -> int:
        """The highest number; 0 without trials."""
        return self._beyond[-1] if self._beyond else self._first


class InOrder(Sequence[Trial]):
    """Trials in the order of their numbers, none of them held.

    Args:
        trials: by number, in the order of numbers.
    """

    def __init__(self, trials: Mapping[int, Trial]) -> None:
        self._trials = trials

    @overload
    def __getitem__(self, index: int) -> Trial: ...
    @overload
    def __getitem__(self, index: slice) -> list[Trial]: ...
    def __getitem__(self, index: int | slice) -> Trial | list[Trial]:
        numbers = list(self._trials)
        if isinstance(index, slice):
            return [self._trials[number] for number in numbers[index]]
        return self._trials[numbers[index]]

    def __iter__(self) -> Iterator[Trial]:
        return (self._trials[number] for number in self._trials)

    def __len__(self) -> int:
        return len(self._trials)
