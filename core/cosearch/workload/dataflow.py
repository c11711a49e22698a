"""Every operation of a network with the activations it reads and writes.

Links say which tensors have one reader among the layers; what is alive at one time takes all
readers, those that are no layers included. A dataflow is a fact of the network alone: no machine
leaves anything of it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from cosearch.errors import CosearchError


@frozen
class Step:
    """One operation; what works in place is part of the step that wrote its tensor.

    Attributes:
        name: for people.
        reads: numbers of tensors, each once.
        writes: likewise; nothing else writes them.
    """

    name: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]


@frozen
class Dataflow:
    """The steps of a network, in an order in which they can run.

    Attributes:
        words: of each tensor; those that no step writes are there from the start.
        steps: each reads what is there from the start or what an earlier one writes.
        results: tensors that are kept to the end.
    """

    words: tuple[int, ...]
    steps: tuple[Step, ...]
    results: frozenset[int] = frozenset()

    def __attrs_post_init__(self) -> None:
        for problem in self._problems():
            raise CosearchError(f"no dataflow: {problem}")

    def _problems(self) -> Iterator[str]:
        known = set(range(len(self.words)))
        written = {t for step in self.steps for t in step.writes}
        there = known - written
        for step in self.steps:
            for tensors in (step.reads, step.writes):
                if len(set(tensors)) < len(tensors) or not set(tensors) <= known:
                    yield f"{step.name!r} names tensors {tensors} of {len(known)}, each once"
            if not set(step.reads) <= there:
                yield f"{step.name!r} reads what no earlier step has written"
            if there & set(step.writes):
                yield f"{step.name!r} writes a tensor that is there already"
            there |= set(step.writes)
        if not self.results <= known or min(self.words, default=0) < 0:
            yield "results are tensors, and sizes are at least 0"
