"""The page of a comparison: curves, distributions, ranks, fronts, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from cosearch.compare.contest import Case
from cosearch.compare.fronts import KnownFront, known_fronts
from cosearch.compare.outcome import Result, RunOutcome
from cosearch.compare.scores import SIGNIFICANT, WITHIN, Standing, ratios_so_far
from cosearch.compare.tuning import Rehearsal
from cosearch.quantities import counted, digits, duration, percent, ratio, whole
from cosearch.reporting.reporter import Compared, Trials
from cosearch.study.report import DesignReport
from cosearch.typing import FloatArray
from cosearch_plugins.reports.html import charts
from cosearch_plugins.reports.html.page import Section, chart, folded, grid, page, table, text


def compare_page(compared: Compared) -> str:
    """Return the page of a comparison; raises MissingExtraError where plotly is not installed."""
    result, standing = compared.result, compared.standing
    contest = result.contest
    names = [s.strategy for s in standing.scores]
    known = known_fronts(result)
    over = "best hypervolume over its own" if known else "loss over the best known"
    ranked = charts.ranks(names, [s.rank for s in standing.scores], standing.critical_difference)
    sections = [
        Section("Who is best", f"{over}, case by case", _scores(standing)),
        Section("Who differs", "probability that a run of the row beats one of the column; marked "
                f"pairs differ by a permutation test within cases, Holm-corrected, {SIGNIFICANT:g}",
                _duels(result, standing)),
        Section("Any time", "median and quartiles over runs, best so far",
                grid(_curves(result, names, over))),
        Section("Final losses", f"{over}; every run that found something is a point",
                grid(_finals(result, names, over))),
        Section("Mean ranks", "a bar joins contenders that Nemenyi's test cannot tell apart",
                chart(ranked, "ranks")),
        *_several(result, names, known),
        Section("What it took", "means of a run", _effort(standing)),
        Section("Energy and cycles", "every feasible design that was tried",
                grid(_trade_offs(result, names, compared.trials))),
        Section("Where the energy goes", "the best design of each case, a run of the network",
                grid(_energy(compared.best))),
        Section("Hardware", "parameters of every feasible design that was tried",
                "".join(_hardware(result, compared.trials))),
        *_tuned(compared.tuned),
        Section("Reproduce", "nothing in the store is run twice; another store gives the same",
                text(compared.facts)),
    ]  # fmt: skip
    about = (
        f"{counted(len(names), 'strategy', 'strategies')} on "
        f"{' and '.join(map(str, result.solved))}, {counted(contest.seeds, 'run')} of each; "
        f"objective {','.join(contest.objectives)}"
    )
    return page(" against ".join(contest.strategies), about, sections)


def _scores(standing: Standing) -> str:
    columns = ("contender", "median", "quartiles", "mean rank", "beats others",
               f"within {percent(WITHIN)}", "trials to reach", "mappings to reach",
               "log2 regret")  # fmt: skip
    return table(columns, (
        (s.strategy, ratio(s.median), f"{digits(s.lower)} .. {digits(s.upper)}", f"{s.rank:.2f}",
         percent(s.superiority), percent(s.reached), _soon(s.trials_to_reach),
         _soon(s.evaluations_to_reach), f"{s.log_regret:.3f}")
        for s in standing.scores
    ))  # fmt: skip


def _effort(standing: Standing) -> str:
    columns = ("contender", "different designs", "infeasible", "mappings priced", "thinking",
               "evaluating")  # fmt: skip
    return table(columns, (
        (s.strategy, f"{s.designs:.1f}", percent(s.infeasible), whole(s.evaluations),
         duration(s.think_seconds), duration(s.evaluate_seconds))
        for s in standing.scores
    ))  # fmt: skip


def _soon(count: float) -> str:
    return whole(count) if np.isfinite(count) else "never"


def _duels(result: Result, standing: Standing) -> str:
    contest = result.contest.strategies
    names = [s.strategy for s in standing.scores]
    cells = {(name, name): "" for name in names}
    for p in standing.pairs:
        mark = " *" if p.corrected <= SIGNIFICANT else ""
        for row, column, chance in ((p.a, p.b, p.superiority), (p.b, p.a, 1 - p.superiority)):
            said = f"{percent(chance)}{mark} (p {digits(p.corrected, 2)})"
            cells[contest[row], contest[column]] = said
    return table(
        ("better than", *names), ((row, *(cells[row, column] for column in names)) for row in names)
    )


def _tuned(tuned: Rehearsal | None) -> Iterator[Section]:
    if tuned is None:
        return
    columns = ("contender", "options changed", "tried", "before, log2", "after, log2", "runs",
               "trials", "mappings priced", "time")  # fmt: skip
    rows = (
        (t.contender, t.changes, str(t.tried), f"{t.before:.3f}", f"{t.after:.3f}", str(t.runs),
         whole(t.trials), whole(t.evaluations), duration(t.seconds))
        for t in tuned.tuned
    )  # fmt: skip
    note = text(["log2: mean of the final loss over the best known there, as named and as tuned"])
    yield Section("Tuned first", tuned.about, table(columns, rows, ["options changed"]) + note)


def _several(
    result: Result, names: Sequence[str], fronts: Sequence[KnownFront]
) -> Iterator[Section]:
    if fronts:
        yield Section(
            "Pareto fronts",
            "every design tried, and the best front known; its hypervolume is a share of the box "
            "between zero and a corner 10 % beyond the worst of the front",
            "".join(_front(result, names, front, i) for i, front in enumerate(fronts)),
        )


def _front(result: Result, names: Sequence[str], front: KnownFront, number: int) -> str:
    objectives = result.contest.objectives
    drawn = []
    for a, b in combinations(range(len(objectives)), 2):
        points = {name: _losses(result.of(name, front.case), a, b) for name in names}
        figure = charts.scatter(str(front.case), points, objectives[a], objectives[b], front=True)
        drawn.append(chart(figure, f"pareto{number}-{a}{b}"))
    rows = (
        (*(digits(x, 4) for x in m.losses), m.run.run.strategy, str(m.run.run.seed), str(m.trial))
        for m in front.members
    )
    listed = table((*objectives, "found by", "seed", "trial"), rows, ["found by"])
    return grid(drawn) + folded(f"{front.case}: {front.about}", listed)


def _losses(
    outcomes: Sequence[RunOutcome], a: int, b: int
) -> tuple[FloatArray, FloatArray, list[str]]:
    losses = np.concatenate([o.found.losses for o in outcomes])
    notes = [f"seed {o.run.seed}, trial {n}" for o in outcomes for n in o.found.numbers]
    return losses[:, a], losses[:, b], notes


def _curves(result: Result, names: Sequence[str], over: str) -> Iterator[str]:
    for i, case in enumerate(result.solved):
        bands = {name: _quartiles(result, result.of(name, case)) for name in names}
        yield chart(charts.curves(str(case), bands, "trials", over), f"curves{i}")


def _quartiles(
    result: Result, outcomes: Sequence[RunOutcome]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    curves = [ratios_so_far(result, o) for o in outcomes if len(o.losses)]
    length = max(map(len, curves), default=0)
    if not length:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    padded = [np.pad(c, (0, length - len(c)), mode="edge") for c in curves]
    lower, median, upper = np.quantile(padded, (0.25, 0.5, 0.75), axis=0)
    return lower, median, upper


def _finals(result: Result, names: Sequence[str], over: str) -> Iterator[str]:
    for i, case in enumerate(result.solved):
        known = result.best_known(case)
        values = {n: np.array([o.best / known for o in result.of(n, case)]) for n in names}
        yield chart(charts.distributions(str(case), values, over), f"finals{i}")


def _trade_offs(result: Result, names: Sequence[str], trials: Trials) -> Iterator[str]:
    for i, case in enumerate(result.solved):
        points = {name: _costs(result.of(name, case), trials) for name in names}
        figure = charts.scatter(str(case), points, "cycles", "energy, J", front=True)
        yield chart(figure, f"front{i}")


def _costs(
    outcomes: Sequence[RunOutcome], trials: Trials
) -> tuple[FloatArray, FloatArray, list[str]]:
    found = [(o.run.seed, t) for o in outcomes for t in trials[o.run.spec.name] if t.ok]
    return (
        np.array([t.outcome.metrics["cycles"] for _, t in found]),
        np.array([t.outcome.metrics["energy_pj"] for _, t in found]) * charts.JOULES,
        [f"seed {seed}, trial {t.number}" for seed, t in found],
    )


def _energy(best: Mapping[Case, DesignReport]) -> Iterator[str]:
    for i, (case, design) in enumerate(best.items()):
        parts = list(design.energy_by_part)
        layers = {
            part: {x.name: x.energy_by_part.get(part, 0.0) * x.count * 1e-6 for x in design.layers}
            for part in parts
        }
        yield chart(charts.stacked(f"{case}: layers by part", layers, "uJ"), f"layers{i}")
        figure = charts.shares(f"{case}: parts", design.energy_by_part, 1e-6, "uJ")
        yield chart(figure, f"energy{i}")


def _hardware(result: Result, trials: Trials) -> Iterator[str]:
    for i, case in enumerate(result.solved):
        found = [
            t
            for o in result.outcomes
            if o.run.case == case
            for t in trials[o.run.spec.name]
            if t.ok
        ]
        unique = list({t.design: t for t in found}.values())
        names = list(unique[0].configuration)
        columns = {n: [t.configuration[n] for t in unique] for n in names}
        moving = {n: values for n, values in columns.items() if len(set(values)) > 1}
        losses = np.array([t.merit for t in unique])
        if moving:
            yield chart(charts.parallel(str(case), moving, losses), f"parallel{i}", wide=True)
            yield grid(
                chart(charts.by_choice(n, values, losses), f"parameter{i}-{j}")
                for j, (n, values) in enumerate(moving.items())
            )
