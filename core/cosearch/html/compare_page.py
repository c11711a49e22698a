"""The page of a comparison: curves, distributions, ranks, fronts, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cosearch.compare.contest import Case
from cosearch.compare.outcome import Result, RunOutcome
from cosearch.compare.scores import SIGNIFICANT, WITHIN, Standing, ratios_so_far
from cosearch.html import charts
from cosearch.html.page import Section, chart, grid, page, table, text
from cosearch.quantities import digits, duration, percent, ratio, whole
from cosearch.study.report import DesignReport
from cosearch.study.trial import Trial
from cosearch.typing import FloatArray

Trials = Mapping[str, Sequence[Trial]]
"""Name of a study to its own trials in order."""


def compare_page(
    result: Result,
    standing: Standing,
    trials: Trials,
    best: Mapping[Case, DesignReport],
    facts: Sequence[str],
) -> str:
    """Return the page of a comparison.

    Args:
        result: of the contest.
        standing: its scores; there is at least one.
        trials: of every run, by the name of its study.
        best: of each solved case, the best design priced again.
        facts: commands, versions, plugins, settings.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    contest = result.contest
    names = [s.strategy for s in standing.scores]
    cases = result.solved
    sections = [
        Section("Who is best", "losses over the best known of their case", _scores(standing)),
        Section("Who differs", f"permutation tests within cases, Holm-corrected, {SIGNIFICANT:g}",
                _pairs(result, standing)),
        Section("Any time", "median and quartiles over runs of best so far over best known",
                grid(_curves(result, names))),
        Section("Final losses", "over the best known of the case, every run a point",
                grid(_finals(result, names))),
        Section("Mean ranks", "a bar joins contenders that Nemenyi's test cannot tell apart",
                chart(charts.ranks(names, [s.rank for s in standing.scores],
                                   standing.critical_difference), "ranks")),
        Section("Energy and cycles", "every feasible design that was tried",
                grid(_fronts(result, names, trials))),
        Section("Where the energy goes", "the best design of each case",
                grid(_energy(best))),
        Section("Hardware", "parameters of every feasible design that was tried",
                "".join(_hardware(result, trials))),
        Section("Reproduce", "nothing in the store is run twice; another store gives the same",
                text(facts)),
    ]  # fmt: skip
    about = (
        f"{len(names)} strategies, {len(cases)} cases, {contest.seeds} runs of each; "
        f"objective {contest.objective}"
    )
    return page(" against ".join(contest.strategies), about, sections)


def _scores(standing: Standing) -> str:
    columns = ("contender", "median", "quartiles", "mean rank", "beats others",
               f"within {percent(WITHIN)}", "trials to reach", "evaluations", "area, log2",
               "designs", "infeasible", "thinking", "evaluating")  # fmt: skip
    return table(columns, (
        (s.strategy, ratio(s.median), f"{digits(s.lower)} .. {digits(s.upper)}", f"{s.rank:.2f}",
         percent(s.superiority), percent(s.reached), _soon(s.trials_to_reach),
         _soon(s.evaluations_to_reach), f"{s.area:.3f}", f"{s.designs:.1f}",
         percent(s.infeasible), duration(s.think_seconds), duration(s.evaluate_seconds))
        for s in standing.scores
    ))  # fmt: skip


def _soon(count: float) -> str:
    return whole(count) if np.isfinite(count) else "never"


def _pairs(result: Result, standing: Standing) -> str:
    names = result.contest.strategies
    columns = ("pair", "probability that the first is better", "p", "corrected", "")
    return table(columns, (
        (f"{names[p.a]}, {names[p.b]}", percent(p.superiority), f"{p.p_value:.4f}",
         f"{p.corrected:.4f}", "differ" if p.corrected <= SIGNIFICANT else "")
        for p in standing.pairs
    ))  # fmt: skip


def _curves(result: Result, names: Sequence[str]) -> Iterator[str]:
    for i, case in enumerate(result.solved):
        bands = {name: _quartiles(result, result.of(name, case)) for name in names}
        figure = charts.curves(str(case), bands, "trials", "over best known")
        yield chart(figure, f"curves{i}")


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


def _finals(result: Result, names: Sequence[str]) -> Iterator[str]:
    for i, case in enumerate(result.solved):
        known = result.best_known(case)
        values = {n: np.array([o.best / known for o in result.of(n, case)]) for n in names}
        yield chart(charts.distributions(str(case), values, "over best known"), f"finals{i}")


def _fronts(result: Result, names: Sequence[str], trials: Trials) -> Iterator[str]:
    for i, case in enumerate(result.solved):
        points = {name: _costs(result.of(name, case), trials) for name in names}
        figure = charts.scatter(str(case), points, "cycles", "energy_pj", front=True)
        yield chart(figure, f"front{i}")


def _costs(
    outcomes: Sequence[RunOutcome], trials: Trials
) -> tuple[FloatArray, FloatArray, list[str]]:
    found = [(o.run.seed, t) for o in outcomes for t in trials[o.run.spec.name] if t.ok]
    return (
        np.array([t.outcome.metrics["cycles"] for _, t in found]),
        np.array([t.outcome.metrics["energy_pj"] for _, t in found]),
        [f"seed {seed}, trial {t.number}" for seed, t in found],
    )


def _energy(best: Mapping[Case, DesignReport]) -> Iterator[str]:
    for i, (case, design) in enumerate(best.items()):
        bars = {part: {"best design": pj * 1e-6} for part, pj in design.energy_by_part.items()}
        yield chart(charts.stacked(str(case), bars, "uJ"), f"energy{i}")
        layers = {"energy": {x.name: x.energy_pj * x.count * 1e-6 for x in design.layers}}
        yield chart(charts.stacked(f"{case}: layers, all runs", layers, "uJ"), f"layers{i}")


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
            yield chart(charts.parallel(str(case), moving, losses), f"parallel{i}")
            yield grid(
                chart(charts.by_choice(n, values, losses), f"parameter{i}-{j}")
                for j, (n, values) in enumerate(moving.items())
            )
