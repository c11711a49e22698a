"""Writes a dataflow down, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from cosearch.workload.dataflow import Dataflow, Step


@define
class Trace:
    """Collects steps; once one reads a tensor that nobody knows, nothing is known of the whole."""

    _words: list[int] = field(init=False, factory=list)
    _steps: list[Step] = field(init=False, factory=list)
    _kept: set[int] = field(init=False, factory=set)
    _whole: bool = field(init=False, default=True)

    def given(self, words: int, *, kept: bool = False) -> int:
        """Return the number of a tensor that is there from the start.

        Args:
            words: its size.
            kept: whether it stays to the end, as a state does.
        """
        self._words.append(words)
        number = len(self._words) - 1
        if kept:
            self._kept.add(number)
        return number

    def run(self, name: str, reads: Sequence[int | None], words: int) -> int:
        """Add a step that writes one tensor, and return the tensor's number.

        Args:
            name: for people.
            reads: tensors; None is one that nobody knows.
            words: of what it writes.
        """
        known = tuple(dict.fromkeys(t for t in reads if t is not None))
        self._whole = self._whole and None not in reads
        number = self.given(words)
        self._steps.append(Step(name, known, (number,)))
        return number

    def lost(self) -> None:
        """Note that something happens of which nothing is known."""
        self._whole = False

    def dataflow(self, results: Sequence[int] | None = None) -> Dataflow | None:
        """Return what was collected; None where something is not known.

        Args:
            results: kept to the end; None are the tensors that nothing reads.
        """
        if not self._whole or not self._steps:
            return None
        if results is None:
            read = {t for step in self._steps for t in step.reads}
            results = [t for step in self._steps for t in step.writes if t not in read]
        kept = frozenset(self._kept | set(results))
        return Dataflow(tuple(self._words), tuple(self._steps), kept)
