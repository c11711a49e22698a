"""Co-design: hardware outside, the mappings of each layer inside.

What a script does that does not come in by the front door, `cosearch.run`:

    registry = load_registry()
    problem = plan(registry, "resnet18", "eyeriss", "evolutionary")
    with Store(Path("cosearch.db")) as store:
        study = open_study(store, registry, problem, Budget(trials=50))
        run(study, store, registry)
    print(study.best)
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from attrs import evolve, frozen

from cosearch.errors import CosearchError, Infeasible, UnknownNameError, broken, pass_on
from cosearch.machine.building import build
from cosearch.mapping.mapper import Budget
from cosearch.registry.registry import Named, Registry
from cosearch.search.parameters import Space
from cosearch.search.pruning import PrunedSpace
from cosearch.search.seeds import stream
from cosearch.search.strategy import Strategy
from cosearch.store.records import EXHAUSTED, FINISHED, Header
from cosearch.store.store import Store, StoredTrials
from cosearch.study.bounding import refuse_unbounded
from cosearch.study.building import canonical, make_scheme, make_strategy, problem_of, threaded
from cosearch.study.compiled import compile_first
from cosearch.study.events import Events
from cosearch.study.executor import Executor, Task
from cosearch.study.problem import Problem
from cosearch.study.pruning import DesignFloors
from cosearch.study.scheme import Scheme
from cosearch.study.search import Search
from cosearch.study.study import Study
from cosearch.study.trials import BLOCK, Trials
from cosearch.study.warm_start import known_of, pinned
from cosearch.trials.fidelity import ROUNDING, WHOLE
from cosearch.trials.spec import StudySpec


def plan(
    registry: Registry,
    workload: str,
    hardware: str,
    strategy: str,
    **settings: Any,  # noqa: ANN401 - checked by StudySpec
) -> Problem:
    """Return what a study searches, every name and value checked, nothing stored.

    Args:
        registry: knows the names.
        workload: name, path or einsum, see `cosearch.workload.source`.
        hardware: a hardware model's name with options.
        strategy: a strategy's name with options.
        settings: further ones by name, see the fields of `StudySpec`; values of `fixed` may be
            text.

    Raises:
        UnknownNameError, InputError, PluginError: what is wrong with which of them.
    """
    asked = StudySpec.of(workload, hardware, strategy=strategy, **settings)
    if (asked.warm_start or asked.prune) and make_scheme(asked.scheme, registry).enumerates:
        what = "is pruned by itself" if asked.prune else "takes no warm start"
        raise CosearchError(f"the scheme {asked.scheme} goes through every design: it {what}")
    problem = problem_of(canonical(asked, registry), registry)
    if asked.bound:
        refuse_unbounded(problem, make_strategy(asked.strategy, registry).target)
    return problem


def open_study(
    store: Store, registry: Registry, problem: Problem, budget: Budget, name: str = ""
) -> Study:
    """Return the study of a problem, new or as it was left, with the budget given.

    Args:
        store: to be written.
        registry: knows the names.
        problem: as `plan` made it.
        budget: when it is to end.
        name: in the store; made from the settings when empty.

    Raises:
        CosearchError: a study of that name has other settings, or none can start from the study
            named for it.
    """
    spec = pinned(problem, store, registry)
    problem = evolve(problem, spec=spec)
    header = Header(name or spec.name, spec, _facts(problem, registry), budget)
    known = store.find(header.name)
    if known is None:
        store.create(header)
        return Study(
            header, problem, make_scheme(spec.scheme, registry), trials=_trials(store, header)
        )
    if known.spec != spec:
        raise CosearchError(
            f"the study {known.name!r} has other settings:\n  "
            + "\n  ".join(known.spec.differences(spec)),
            f"continue it as it is: cosearch resume {known.name}; or name another: --study NAME",
        )
    return _as_left(store, known, header, problem, make_scheme(spec.scheme, registry))


def resume_study(
    store: Store,
    registry: Registry,
    name: str,
    *,
    more_trials: int | None = None,
    more_seconds: float | None = None,
) -> Study:
    """Return a stored study with its trials, to be run to its own budget or further.

    Args:
        store: has it.
        registry: of plugins.
        name: of the study.
        more_trials: beyond those it has; a limit of time that is over goes.
        more_seconds: beyond those it took; a limit of trials that is reached goes.

    Raises:
        UnknownNameError: no study of that name; near ones are suggested.
        CosearchError: what it was made of has changed since.
    """
    known = store.header(name)
    try:
        problem = problem_of(known.spec, registry)
    except UnknownNameError as error:
        gone = [path for path in known.facts.get("files", ()) if path not in registry.files]
        if not gone:
            raise
        hint = " ".join(f"--plugins {path}" for path in gone)
        raise CosearchError(str(error), f"the study was begun with: {hint}") from error
    header = evolve(known, facts=_facts(problem, registry))
    scheme = make_scheme(known.spec.scheme, registry)
    study = _as_left(store, known, header, problem, scheme)
    budget = _further(study, more_trials, more_seconds)
    study.header = evolve(study.header, budget=budget)
    return study


def _further(study: Study, more_trials: int | None, more_seconds: float | None) -> Budget:
    """Return a study's budget with more of what is asked for, and no limit that forbids it."""
    spent, taken, budget = study.spent, study.header.seconds, study.header.budget
    trials, seconds = budget.trials, budget.seconds
    if more_seconds is not None:
        trials = None if trials is not None and spent >= trials - ROUNDING else trials
        seconds = round(taken + more_seconds, 1)  # as it is told when it is over
    elif more_trials is not None and seconds is not None and taken >= seconds:
        seconds = None
    if more_trials is not None:
        trials = math.ceil(spent - ROUNDING) + more_trials
    return evolve(budget, trials=trials, seconds=seconds)


def load_study(store: Store, registry: Registry, name: str) -> Study:
    """Return a stored study with its trials, to be looked at."""
    return resume_study(store, registry, name)


MADE_OF = {"network": "the workload", "baseline": "the hardware model", "space": "the space"}
"""What a study's numbers rest on besides its settings; studies of 0.1.0 do not tell the space."""


APART = "processes"
"""The executor that runs plugins where they cannot take the study down."""


@frozen
class Session:
    """How one session of a study is run; none of it changes the result.

    Attributes:
        workers: designs evaluated at once.
        trial_seconds: after which a design is given up; None is never.
        executor: its name with options; None picks by the others.
        threads: layers of one design mapped at once.
        cached: whether results of mappers are used again, and remembered.
    """

    workers: int = 1
    trial_seconds: float | None = None
    executor: str | None = None
    threads: int = 1
    cached: bool = True

    @classmethod
    def on_cores(
        cls,
        study: Study,
        workers: int | None = None,
        trial_seconds: float | None = None,
        executor: str | None = None,
        cores: int | None = None,
    ) -> Session:
        """Return a session that keeps all cores busy, and none busy twice.

        Args:
            study: to be run. Where it proposes fewer designs at once than there are cores, the rest
                of them map layers.
            workers: designs evaluated at once, no matter how many cores; None is one a core.
            trial_seconds: after which a design is given up; None is never.
            executor: its name with options; None picks by the others.
            cores: that may be used; None is all that this process may use.
        """
        if workers is not None:
            return cls(workers, trial_seconds, executor)
        cores = cores or _cores()
        at_once = min(cores, study.problem.spec.batch)
        return cls(at_once, trial_seconds, executor or APART, cores // at_once)

    @property
    def executor_name(self) -> str:
        """The executor named, or the simplest that does what is asked."""
        alone = self.workers == 1 and self.trial_seconds is None
        return self.executor or ("serial" if alone else APART)


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    study: Study,
    store: Store,
    registry: Registry,
    session: Session | None = None,
    led_by: Strategy | None = None,
) -> None:
    """Run a study to the end of its budget; one that has ended already is left as it is.

    Args:
        study: new, or as it was left.
        store: where trials are committed.
        registry: of plugins.
        session: how this session is run; None is one design after the other, here.
        led_by: proposes designs in place of the strategy that the settings name, which it is an
            instance of.

    Raises:
        KeyboardInterrupt: Ctrl-C; everything finished is stored.
        CosearchError: the strategy or the executor broke down; everything finished is stored.
    """
    if is_over(study):
        return
    session = session or Session()
    spec = study.problem.spec
    named = make_strategy(spec.strategy, registry)
    refuse_many_objectives(named, study.problem.space, spec.objectives)
    floors = DesignFloors(study.problem) if spec.prune else None
    space = study.problem.space if floors is None else PrunedSpace(study.problem.space, floors)
    rng = stream(spec.seed, "strategy")
    try:
        strategy = led_by or study.scheme.strategy(study.problem, space, named, rng)
    except CosearchError:
        raise
    except BaseException as error:
        pass_on(error)
        raise broken("strategy", named.name, "its constructor", error, named.target) from error
    known = known_of(study.problem, store)
    if study.header.budget.seconds is not None:
        compile_first(study.problem)
    with _executor(study, store, registry, session) as executor:
        events = Events(registry.manager)
        Search(study, store, strategy, executor, events, known, floors).run()


def is_over(study: Study) -> bool:
    """Return whether a study has ended by itself, with nothing left of its budget."""
    status = study.header.status
    return status == EXHAUSTED or (status == FINISHED and any(_reached(study)))


def _reached(study: Study) -> Iterator[bool]:
    """Yield for each limit of the budget whether it leaves nothing to do."""
    budget = study.header.budget
    if budget.trials is not None:
        yield budget.trials - study.spent < WHOLE - ROUNDING
    if budget.evaluations is not None:
        yield study.evaluations >= budget.evaluations
    if budget.seconds is not None:
        yield study.header.seconds >= budget.seconds
    if budget.networks is not None:
        yield study.networks() >= budget.networks


def _executor(study: Study, store: Store, registry: Registry, session: Session) -> Executor:
    named: Named[Executor] = registry.find("executors", session.executor_name)
    if session.trial_seconds is not None and not named.target.can_give_up:
        raise CosearchError(
            f"the executor {named.name!r} cannot give up a trial after some time",
            "leave out --trial-seconds, or use: --executor processes",
        )
    if registry.local and named.target.elsewhere:
        raise CosearchError(
            f"no other process can make the {registry.local[0]}: it has no registered name",
            "leave out workers, seconds of a trial and executor, or register it in a plugin file",
        )
    problem = threaded(study.problem, registry, session.threads)
    task = Task(
        problem.spec,
        store.path,
        problem,
        registry.files,
        session.threads,
        cached=session.cached,
    )
    return named.make(task, _at_most(session.workers, study), session.trial_seconds)


def _at_most(workers: int, study: Study) -> int:
    """Return how many workers there are designs for: each starts before it has one."""
    trials = study.header.budget.trials
    return workers if trials is None else max(1, min(workers, math.ceil(trials - study.spent)))


def refuse_many_objectives(named: Named[Strategy], space: Space, objectives: Sequence[str]) -> None:
    """Raise CosearchError when there are several objectives and the strategy takes one.

    Args:
        named: the strategy; its options may rule several out.
        space: that it would search.
        objectives: names.
    """
    if len(objectives) == 1:
        return
    takes_several = named.target.multi_objective
    if not (takes_several and named.make(space, np.random.default_rng(0)).multi_objective):
        raise CosearchError(
            f"the strategy {named.spec!r} takes one objective, not {', '.join(objectives)}",
            "`cosearch list strategies` shows which take several",
        )


def _facts(problem: Problem, registry: Registry) -> dict[str, Any]:
    """Return what a study's numbers depend on besides its settings."""
    try:
        baseline = str(build(problem.hardware, problem.hardware.baseline).key)
    except Infeasible as verdict:
        baseline = f"infeasible: {verdict.reason}"
    return {
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "cosearch": version("cosearch"),
        "plugins": sorted({distribution for _, distribution in registry.plugins}),
        "files": list(registry.files),
        "network": problem.network_key,
        "baseline": baseline,
        "space": problem.space_key,
    }


def _as_left(store: Store, known: Header, asked: Header, problem: Problem, scheme: Scheme) -> Study:
    """Return a stored study, unless what it was made of has changed."""
    for fact, what in MADE_OF.items():
        if known.facts.get(fact, asked.facts[fact]) != asked.facts[fact]:
            raise CosearchError(
                f"{what} of the study {known.name!r} has changed since it was begun, with "
                f"cosearch {known.facts.get('cosearch')}: its numbers cannot be continued",
                "start a new one: --study NAME",
            )
    study = Study(evolve(known, budget=asked.budget), problem, scheme, trials=_trials(store, known))
    if known.facts.get("plugins") != asked.facts["plugins"]:
        then = ", ".join(known.facts.get("plugins", ())) or "unknown plugins"
        now = ", ".join(asked.facts["plugins"])
        study.notes.append(f"the study was begun with {then}; now it is {now}")
    for trial in store.in_blocks(known.name, BLOCK):
        study.add(trial)
    return study


def _trials(store: Store, header: Header) -> Trials:
    return Trials(StoredTrials(store.path, header.name))
