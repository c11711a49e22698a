"""Tuning before a comparison: each contender's declared options, tried on other workloads.

Which optimizer wins is often a matter of its options (P. T. Sivaprasad et al., *Optimizer
Benchmarking Needs to Account for Hyperparameter Tuning*, ICML 2020). So every contender is granted
the same: as many configurations, each run on the same machines, tuning workloads and seeds, with
the budget of the comparison itself. The tuning runs are a contest of their own, stored and resumed
like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from attrs import evolve, field, frozen

from cosearch.compare.contest import PRUNE, Contest, cut_prune
from cosearch.compare.outcome import Result
from cosearch.compare.scores import log_ratio, log_regret
from cosearch.errors import CosearchError
from cosearch.quantities import added
from cosearch.registry.registry import Registry, join_spec, split_spec
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.seeds import stream
from cosearch.search.unseen import Unseen
from cosearch.study.building import make_hardware, make_strategy
from cosearch.study.codesign import refuse_many_objectives
from cosearch.typing import Value
from cosearch.workload.network import Network
from cosearch.workload.source import resolve

SEEDS = 3
"""Runs of each configuration on each tuning workload and machine."""

USUAL = ("alexnet", "resnet18", "mobilenetv2")
"""Where options are tuned unless said otherwise: the first that is not compared."""


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts)


@frozen
class Tuning:
    """How the contenders of a contest are tuned.

    Attributes:
        contest: to be tuned for.
        configurations: tried of each contender, the one it is named with included.
        workloads: to try them on, none of the contest's.
    """

    contest: Contest
    configurations: int
    workloads: tuple[str, ...] = field(converter=_texts)

    def candidates(self, registry: Registry) -> dict[str, tuple[str, ...]]:
        """Return each contender's configurations, the one it is named with first."""
        return {
            name: self._configurations(*cut_prune(name), registry)
            for name in self.contest.strategies
        }

    def _configurations(self, strategy: str, prune: bool, registry: Registry) -> tuple[str, ...]:
        found = configurations(
            strategy, self.configurations, registry, lambda text: self._takes(text, registry)
        )
        return tuple(text + PRUNE * prune for text in found)

    def _takes(self, text: str, registry: Registry) -> bool:
        """Return whether a configuration takes as many objectives as there are."""
        space = make_hardware(self.contest.hardware[0], registry).space
        try:
            refuse_many_objectives(make_strategy(text, registry), space, self.contest.objectives)
        except CosearchError:
            return False
        return True

    def rehearsal(self, registry: Registry) -> Contest:
        """Return the contest of all configurations on the tuning workloads."""
        texts = [text for tried in self.candidates(registry).values() for text in tried]
        return evolve(
            self.contest,
            strategies=tuple(dict.fromkeys(texts)),
            workloads=self.workloads,
            seeds=SEEDS,
        )


@frozen
class Tuned:
    """What tuning did for one contender.

    Attributes:
        contender: as the contest names it.
        text: the configuration chosen, with all its options written out.
        changed: the options that tuning set otherwise than they were.
        tried: configurations; 1 is none but its own.
        before, after: mean over tuning runs of log2 of the final loss over the best known, of the
            contender's own configuration and of the one chosen.
        runs, trials, evaluations: spent on it; evaluations are mappings priced.
        seconds: thinking and evaluating, over all its runs.
    """

    contender: str
    text: str
    changed: Mapping[str, Value]
    tried: int
    before: float
    after: float
    runs: int
    trials: int
    evaluations: int
    seconds: float

    @property
    def changes(self) -> str:
        """What tuning changed, in words."""
        if self.tried == 1:
            return "nothing to tune"
        return ", ".join(f"{k}={v}" for k, v in self.changed.items()) or "as it was"


@frozen
class Rehearsal:
    """A finished tuning.

    Attributes:
        configurations: granted to each contender.
        workloads, hardware: what they were tried on, every pair.
        seeds: runs of each there.
        tuned: contenders, in the contest's order.
    """

    configurations: int
    workloads: tuple[str, ...]
    hardware: tuple[str, ...]
    seeds: int
    tuned: tuple[Tuned, ...]

    @property
    def about(self) -> str:
        """What every contender was granted, in words."""
        return (
            f"up to {self.configurations} configurations of each contender, each with "
            f"{self.seeds} seeds and the budget of the comparison on "
            f"{' and '.join(self.workloads)}, on {' and '.join(self.hardware)}"
        )

    def applied(self, contest: Contest) -> Contest:
        """Return the contest with each contender's options as tuned."""
        return evolve(contest, tuned={t.contender: t.text for t in self.tuned})


def tuning_workloads(
    named: Iterable[str], compared: Iterable[str], registry: Registry
) -> list[str]:
    """Return the workloads to tune on, those named or a usual one.

    Raises:
        CosearchError: one of them is compared too, under whatever name.
    """
    theirs = {_layers(resolve(text, registry)): text for text in compared}
    chosen = list(dict.fromkeys(named))
    if not chosen:
        known = [text for text in USUAL if text in registry.entries["workloads"]]
        chosen = [t for t in known if _layers(resolve(t, registry)) not in theirs][:1]
    if not chosen:
        raise CosearchError("there is no workload to tune on", "name one with --tune-on")
    for text in chosen:
        same = theirs.get(_layers(resolve(text, registry)))
        if same is not None:
            raise CosearchError(
                f"options cannot be tuned on {text!r}: {same!r} is what is compared, and a "
                "contender tuned on the problem itself has seen it before",
                "name another workload with --tune-on",
            )
    return chosen


def _layers(network: Network) -> tuple[tuple[str, int], ...]:
    return tuple((layer.einsum.key, layer.count) for layer in network.unique)


def configurations(
    text: str, n: int, registry: Registry, allowed: Callable[[str], bool] = lambda _: True
) -> tuple[str, ...]:
    """Return up to n configurations of a contender, its own first, the others drawn at random.

    Options that the user wrote stay as they are. A larger n only adds configurations.

    Args:
        text: name with options.
        n: at most so many; fewer where the options allow no more.
        registry: knows the name.
        allowed: whether a configuration may be tried.
    """
    named = make_strategy(text, registry)
    declared: ParameterSpace = named.target.options
    if not declared.parameters:
        return (named.spec,)
    space = evolve(
        declared,
        parameters=tuple(_restricted(p, named.options.get(p.name)) for p in declared.parameters),
    )
    own = declared.complete(named.options)
    drawn, unseen = [named.spec], Unseen(space)
    rng = stream(0, "tuning", named.spec)
    while len(drawn) < min(n, space.size + 1) and len(rows := unseen.draw(1, rng)):
        values = space.decode(rows[0])
        candidate = join_spec(named.name, _unlike(values, declared.defaults))
        if values != own and allowed(candidate):
            drawn.append(candidate)
    return tuple(drawn)


def _unlike(values: Mapping[str, Value], others: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value != others[name]}


def _restricted(parameter: Parameter, given: Value | None) -> Parameter:
    """Return the parameter with the choices that tuning tries, or with the one given."""
    choices = (given,) if given is not None else worth_trying(parameter)
    return evolve(parameter, choices=choices, default=choices[0])


def worth_trying(parameter: Parameter) -> tuple[Value, ...]:
    """Return the choices of an option that tuning tries.

    The least and the greatest choice of a free option are its limits, which nobody would set, and
    free text has no choices but its default.
    """
    if not parameter.free:
        return parameter.choices
    if isinstance(parameter.choices[0], str):
        return (parameter.default,)
    inner = parameter.choices[1:-1]
    return inner if parameter.default in inner else (parameter.default, *inner)


def choose(tuning: Tuning, result: Result, registry: Registry) -> Rehearsal:
    """Return the best configuration of each contender, and what finding it took.

    A configuration counts by the mean over all its runs of log2 of its final loss over the best
    known of that machine and workload, whichever contender found it; equal ones by the area under
    their curves; then the earlier one, the contender's own first.

    Args:
        tuning: what was asked.
        result: of its `rehearsal`.
        registry: knows the contenders.
    """
    candidates = tuning.candidates(registry)
    return Rehearsal(
        tuning.configurations,
        tuning.workloads,
        tuning.contest.hardware,
        SEEDS,
        tuple(_tuned(name, texts, result, registry) for name, texts in candidates.items()),
    )


def _tuned(name: str, texts: tuple[str, ...], result: Result, registry: Registry) -> Tuned:
    scores = {text: _score(result, text) for text in texts}
    best = min(texts, key=lambda text: scores[text])
    outcomes = [o for text in texts for case in result.contest.cases for o in result.of(text, case)]
    declared: ParameterSpace = make_strategy(cut_prune(name)[0], registry).target.options
    own, chosen = (
        declared.complete(declared.parse(split_spec(cut_prune(t)[0])[1])) for t in (texts[0], best)
    )
    return Tuned(
        contender=name,
        text=best,
        changed=_unlike(chosen, own),
        tried=len(texts),
        before=scores[texts[0]][0],
        after=scores[best][0],
        runs=len(outcomes),
        trials=sum(len(o.losses) for o in outcomes),
        evaluations=sum(int(o.evaluations[-1]) for o in outcomes if len(o.evaluations)),
        seconds=added(o.think_seconds + o.evaluate_seconds for o in outcomes),
    )


def _score(result: Result, text: str) -> tuple[float, float]:
    outcomes = [o for case in result.solved for o in result.of(text, case)]
    if not outcomes:
        return np.inf, np.inf
    return (
        float(np.mean([log_ratio(result, o) for o in outcomes])),
        float(np.mean([log_regret(result, o) for o in outcomes])),
    )
