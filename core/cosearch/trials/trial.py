"""A trial: one evaluated design, as the JSON-able facts that the store keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeAlias

from attrs import evolve, field, frozen

from cosearch.errors import printable
from cosearch.mapping.groups import GroupResult
from cosearch.mapping.result import NAMED, LayerResult, Searched, Unmapped
from cosearch.quantities import added
from cosearch.typing import Value

BASELINE = 0
"""The number of the baseline's trial; the strategy's own trials count from 1."""


class State(StrEnum):
    """How a trial ended."""

    OK = "ok"
    INFEASIBLE = "infeasible"
    FAILED = "failed"


@frozen
class Outcome:
    """What evaluating a design gave.

    Attributes:
        state: `ok`, `infeasible` (cannot be built, run, or breaks a constraint) or `failed`
            (a plugin raised, hung or returned nonsense).
        reason: why not ok, in words.
        violation: by how much an infeasible design misses, relative, more than 0; None where
            unknown.
        violations: by how much each limit is missed, relative, by name, those that are known: of
            the study's constraints also to spare (at most 0), of the machine's own what it says.
        accelerator: its key; empty where it was not built.
        losses: one an objective; empty unless ok.
        metrics: of the whole network, those that are known: `energy_pj`, `cycles`, `area_mm2`,
            `clock_mhz`; and `mapping_gap`, how far below it, relative, the objective that layers
            are mapped for can be at most on this machine, where something is proven. Where layers
            run together, `unfused_energy_pj` and `unfused_cycles` are those of the layers alone.
        layers: unique layers mapped before the trial ended. Where a layer was searched in several
            directions, `evaluations`, `nodes` and `seconds` are of all. Each alone, also where
            layers run together.
        unmapped: the layer that could not be mapped, where that is the reason.
        seconds: spent evaluating.
        network: the network's parameters, where the scheme chose them for the design.
        searched: what the searches in several directions found, for the cache; not stored with the
            trial.
        groups: how the network is run where layers may run together: groups and single layers.
    """

    state: State
    reason: str = field(default="", converter=printable)
    violation: float | None = None
    accelerator: str = ""
    losses: tuple[float, ...] = ()
    metrics: Mapping[str, float] = field(factory=dict)
    layers: tuple[LayerResult, ...] = ()
    unmapped: Unmapped | None = None
    seconds: float = 0.0
    searched: tuple[Searched, ...] = field(default=(), eq=False, repr=False)
    violations: Mapping[str, float] = field(factory=dict)
    groups: tuple[GroupResult, ...] = ()
    network: Mapping[str, Value] = field(factory=dict)

    @classmethod
    def failed(cls, reason: str, seconds: float = 0.0) -> Outcome:
        """Return the outcome of a design that a broken plugin cost."""
        return cls(State.FAILED, reason, seconds=seconds)

    @property
    def ok(self) -> bool:
        """Whether the design could be built and run, within every constraint."""
        return self.state is State.OK


@frozen
class Trial:
    """A numbered design and its outcome.

    Attributes:
        number: from 1 in the order of asking; 0 is the baseline.
        row: point of the searched space; empty for the baseline, which need not be in it.
        configuration: the hardware parameters.
        outcome: what evaluating it gave.
        think_seconds: spent by the strategy in proposing it.
        fidelity: share of the network's unique layers that the outcome holds for, in (0, 1]. Below
            1 losses and metrics are estimates, which only the strategy is told of; see
            `cosearch.trials.fidelity`.
    """

    number: int
    row: tuple[int, ...]
    configuration: Mapping[str, Value]
    outcome: Outcome
    think_seconds: float = 0.0
    fidelity: float = 1.0

    @property
    def rows(self) -> int:
        """What it takes: a row for itself and one a layer, of about a kB each."""
        return 1 + len(self.outcome.layers)

    @property
    def whole(self) -> bool:
        """Whether the outcome holds for the whole network."""
        return self.fidelity == 1.0

    @property
    def ok(self) -> bool:
        """Whether the whole network is known to run on the design, within every constraint."""
        return self.whole and self.outcome.ok

    @property
    def complete(self) -> dict[str, Value]:
        """The configuration, with the network that the scheme chose for it, if it did."""
        return {**self.outcome.network, **self.configuration}

    @property
    def merit(self) -> float:
        """The product of the losses, less is better; of one objective, its loss.

        Infinite where the design is not feasible, or known by an estimate alone.
        """
        return math.prod(self.outcome.losses) if self.ok else math.inf

    @property
    def design(self) -> frozenset[tuple[str, Value]]:
        """The configuration as a key: equal designs are evaluated once."""
        return frozenset(self.configuration.items())

    def repeated(self, number: int, row: tuple[int, ...], think_seconds: float) -> Trial:
        """Return the trial of the same design asked for again."""
        outcome = evolve(self.outcome, seconds=0.0)
        return Trial(number, row, self.configuration, outcome, think_seconds, self.fidelity)


Work: TypeAlias = tuple[str, str, tuple[int, ...] | str]
"""A machine, a layer, and what more tells one search from another: why it was in vain, or the
mapping, where the design itself named it."""


class Ledger:
    """Counts the mappings that trials priced, each once, whichever trial needed it first.

    What the cache supplied from another study is charged like the rest: a budget buys the same
    search whatever the file already holds. A later trial that searches a layer further (in more
    directions, for a whole network) is charged for the rest.
    """

    def __init__(self) -> None:
        self._charged: dict[Work, int] = {}
        self._seconds: dict[Work, float] = {}

    def charge(self, trial: Trial) -> int:
        """Return the mappings that a trial priced and none charged before had."""
        new = 0
        for work, seconds in _lasted(trial.outcome):
            self._seconds[work] = max(seconds, self._seconds.get(work, 0.0))
        for work, priced in dict(_spent(trial.outcome)).items():
            before = self._charged.get(work, 0)
            new += max(0, priced - before)
            self._charged[work] = max(priced, before)
        return new

    @property
    def seconds(self) -> float:
        """What the searches behind the charged results took, whoever ran them."""
        return added(self._seconds.values())


def _lasted(outcome: Outcome) -> Iterator[tuple[Work, float]]:
    for layer in outcome.layers:
        named = layer.row if layer.mapper == NAMED else ()
        yield (outcome.accelerator, layer.key, named), layer.seconds


def _spent(outcome: Outcome) -> Iterator[tuple[Work, int]]:
    for layer in outcome.layers:
        named = layer.row if layer.mapper == NAMED else ()
        yield (outcome.accelerator, layer.key, named), layer.evaluations
    if (vain := outcome.unmapped) is not None:
        yield (outcome.accelerator, vain.key, vain.reason), vain.evaluations
