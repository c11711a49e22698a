"""Studies of parts put together: the trials of one study, each at its place."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path

from attrs import evolve, frozen

from cosearch.errors import CosearchError
from cosearch.mapping.mapper import Budget
from cosearch.quantities import added, counted
from cosearch.registry.registry import Registry, split_spec
from cosearch.store.records import FINISHED, INTERRUPTED, Header
from cosearch.store.store import Store
from cosearch.study.building import problem_of
from cosearch.study.codesign import MADE_OF
from cosearch.study.judged import Judged
from cosearch.study.trials import BLOCK
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import BASELINE, Trial
from cosearch_plugins.shards.strategy import Shard

SHARD = "shard"


@frozen
class Part:
    """A stored study of a part.

    Attributes:
        path: of its store.
        header: what is stored of it.
        of: the strategy that proposes the designs of all parts.
        part: which it is, from 0.
        parts: how many there are.
    """

    path: Path
    header: Header
    of: str
    part: int
    parts: int

    @property
    def whole(self) -> StudySpec:
        """The settings of the study that the parts make up."""
        return evolve(self.header.spec, strategy=self.of)

    def place(self, number: int) -> int:
        """Return the number that a trial of this part has in the whole study."""
        return number if number == BASELINE else (number - 1) * self.parts + self.part + 1


def parts_in(path: Path) -> list[Part]:
    """Return the studies of parts in a store."""
    with Store(path, write=False) as store:
        headers = store.headers()
    return [_part(path, h) for h in headers if split_spec(h.spec.strategy)[0] == SHARD]


def _part(path: Path, header: Header) -> Part:
    given = split_spec(header.spec.strategy)[1]
    options = {p.name: p.parse(given[p.name]) if p.name in given else p.default
               for p in Shard.options.parameters}  # fmt: skip
    return Part(path, header, str(options["of"]), int(options["part"]), int(options["parts"]))


def checked(parts: Sequence[Part]) -> list[Part]:
    """Return all parts of one study in order.

    Raises:
        CosearchError: a part is missing or there twice, or they are not of one study.
    """
    if not parts:
        raise CosearchError(
            "there is no study of a part in these stores",
            "run one: cosearch run ... --strategy shard:of=random,part=0,parts=4",
        )
    first = parts[0]
    for part in parts[1:]:
        if (part.whole, part.parts) != (first.whole, first.parts):
            raise CosearchError(
                f"{_told(first)} and {_told(part)} are not of one study:\n  "
                + "\n  ".join(first.header.spec.differences(part.header.spec)),
                "name the stores of one study's parts alone",
            )
        for fact, what in MADE_OF.items():
            if part.header.facts.get(fact) != first.header.facts.get(fact):
                raise CosearchError(f"{what} of {_told(first)} and of {_told(part)} differ")
    numbers = [part.part for part in parts]
    if sorted(numbers) != list(range(first.parts)):
        missing = sorted({*range(first.parts)} - {*numbers})
        told = f"lack {', '.join(map(str, missing))}" if missing else "hold a part twice"
        raise CosearchError(f"the stores {told} of {counted(first.parts, 'part')}")
    if first.whole.prune or first.whole.warm_start or first.whole.bound:
        raise CosearchError(
            "what a part proposes or leaves early hangs on its own trials where a study is pruned, "
            "bounded or starts from another: such parts do not make up one study"
        )
    return sorted(parts, key=lambda part: part.part)


def _told(part: Part) -> str:
    return f"{part.header.name!r} in {part.path}"


def merge(parts: Sequence[Part], registry: Registry, out: Path, name: str = "") -> Header:
    """Write the study that parts make up into a store, and return its header.

    Args:
        parts: as `checked` returns them.
        registry: knows what the study names.
        out: the store; the study is added to those it has.
        name: of the study; made from the settings when empty.

    Raises:
        CosearchError: the store has a study of that name, or the baselines differ.
    """
    first = parts[0]
    problem = problem_of(first.whole, registry)
    baseline, places = _baseline(parts), _places(parts)
    gaps = len(places) != max(places, default=0)
    header = Header(
        name or first.whole.name,
        first.whole,
        first.header.facts,
        Budget(trials=max(places, default=1)),
        INTERRUPTED if gaps or not places else FINISHED,
        "parts lack trials that come before others" if gaps else _done(len(places), len(parts)),
        added(part.header.seconds for part in parts),
    )
    with Store(out) as store:
        if store.find(header.name) is not None:
            raise CosearchError(
                f"{out} has a study {header.name!r} already", "name another: --study NAME"
            )
        store.create(header)
        trials = chain(baseline, heapq.merge(*map(_placed, parts), key=attrgetter("number")))
        once = _Once(store, header.name)
        for block in _blocks(trials):
            purposes = (problem.for_design(t.configuration).task.remembered_by() for t in block)
            pairs = zip(once(block), purposes, strict=True)
            store.add_all(header.name, list(pairs), header.seconds)
    return header


def _done(trials: int, parts: int) -> str:
    return f"{counted(trials, 'trial')} {'is' if trials == 1 else 'are'} done, in {parts} parts"


def _baseline(parts: Sequence[Part]) -> list[Trial]:
    """Return the baseline as the first part has it, none where no part does."""
    known: list[Trial] = []
    for part in parts:
        with Store(part.path, write=False) as store:
            known += store.trials(part.header.name, BASELINE, BASELINE)
        if known and known[0].outcome.losses != known[-1].outcome.losses:
            raise CosearchError(f"the baseline of {_told(parts[0])} and of {_told(part)} differ")
    return known[:1]


def _places(parts: Sequence[Part]) -> set[int]:
    """Return the numbers that the trials of all parts have in the whole study."""
    places: set[int] = set()
    for part in parts:
        with Store(part.path, write=False) as store:
            places.update(map(part.place, store.numbers(part.header.name)))
    return places - {BASELINE}


def _placed(part: Part) -> Iterator[Trial]:
    """Yield the trials of a part at their places, which come in order."""
    with Store(part.path, write=False) as store:
        for trial in store.in_blocks(part.header.name, BLOCK):
            if trial.number != BASELINE:
                yield evolve(trial, number=part.place(trial.number))


def _blocks(trials: Iterator[Trial]) -> Iterator[list[Trial]]:
    """Yield trials in lists of about `BLOCK` rows."""
    block: list[Trial] = []
    rows = 0
    for trial in trials:
        block.append(trial)
        rows += trial.rows
        if rows >= BLOCK:
            yield block
            block, rows = [], 0
    if block:
        yield block


class _Once:
    """Trials in order; a design that an earlier one had is a repetition of that.

    Args:
        store: has the trials of the blocks before.
        name: of the study.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._block: dict[int, Trial] = {}
        self._judged = Judged(self._trial)

    def _trial(self, number: int) -> Trial | None:
        known = self._block.get(number)
        return known or next(iter(self._store.trials(self._name, number, number)), None)

    def __call__(self, block: Sequence[Trial]) -> list[Trial]:
        """Return the next trials."""
        self._block = {trial.number: trial for trial in block}
        return [self._repeated(trial) for trial in block]

    def _repeated(self, trial: Trial) -> Trial:
        self._judged.add(trial)
        known = self._judged.find(trial.design, trial.fidelity)
        if known is None or known.number == trial.number or not trial.row:
            return trial
        return known.repeated(trial.number, trial.row, trial.think_seconds)
