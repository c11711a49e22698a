"""A comparison for people: who won, how surely, how soon, and at what cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen
from rich.text import Text

from cosearch.cli.output import Cell, Output, table
from cosearch.compare.chart import LETTERS
from cosearch.compare.fronts import KnownFront, known_fronts
from cosearch.compare.outcome import Result
from cosearch.compare.plot import anytime_plot
from cosearch.compare.scores import SIGNIFICANT, WITHIN, Score, Standing
from cosearch.compare.tuning import Rehearsal
from cosearch.quantities import counted, digits, duration, loss, percent, ratio, whole

PLOT_MARGIN = 14
WIDEST_PLOT = 72


@frozen
class Terms:
    """What a comparison was made under, for its text.

    Attributes:
        contenders: each with all its options, by its name.
        units: of the objectives, in order.
    """

    contenders: Mapping[str, str]
    units: Sequence[str]


def show(
    output: Output, result: Result, standing: Standing, tuned: Rehearsal | None, terms: Terms
) -> None:
    """Show scores, differences, the anytime plot, each case's best known, and what was tuned."""
    for case in standing.unsolved:
        output.warn(f"{case}: no run found a feasible design; the case is left out")
    if not standing.scores:
        output.show("nothing to compare: no run found a feasible design")
        return
    _show_quality(output, result, standing)
    _show_differences(output, result, standing)
    output.title("what it took", "means of a run; mapping: each result once, whoever searched it")
    output.show(table(
        ("contender", ">designs", ">infeasible|%", ">mappings priced", ">thinking", ">mapping"),
        [_cost(letter, s) for letter, s in zip(LETTERS, standing.scores, strict=False)],
    ))  # fmt: skip
    output.show("")
    output.title("any time", "median over cases and runs of best so far over best known")
    width = min(output.console.width - PLOT_MARGIN, WIDEST_PLOT)
    names = tuple(s.strategy for s in standing.scores)
    for text in anytime_plot(result, names, max(width, 20)):
        output.show(text)
    output.show("")
    output.title("best known", ",".join(result.contest.objectives))
    if len(result.contest.objectives) == 1:
        rows = list(_cases(result, terms.units[0]))
        output.show(table(("case", ">loss", "found by", "mappings"), rows))
    for front in known_fronts(result):
        _show_front(output, result.contest.objectives, terms.units, front)
    output.show("")
    output.title("contenders", "with every option")
    for letter, score in zip(LETTERS, standing.scores, strict=False):
        output.spec(f"{letter} {terms.contenders[score.strategy]}", indent=2)
    if tuned is not None:
        _show_tuned(output, tuned)


def _show_quality(output: Output, result: Result, standing: Standing) -> None:
    several = len(result.contest.objectives) > 1
    output.title(
        "who is best",
        f"{counted(len(result.solved), 'case')} x {counted(result.contest.seeds, 'run')}; "
        + ("hypervolume of a case's best run over a run's own" if several
           else "losses over the best known of a case"),
    )  # fmt: skip
    output.show(table(
        ("contender", ">median", ">quartiles", ">rank", ">beats others|%", ">reaches|%",
         ">trials to reach", ">evaluations", ">regret|log2"),
        [_quality(letter, s) for letter, s in zip(LETTERS, standing.scores, strict=False)],
    ))  # fmt: skip
    output.prose(
        f"reaches: within {percent(WITHIN)} of the best known; regret: mean log2 of the best so "
        "far, from the baseline on, over the best known", "faint", indent=2,
    )  # fmt: skip
    output.show("")


def _show_differences(output: Output, result: Result, standing: Standing) -> None:
    output.title(
        "who differs",
        "probability that a run of the row beats one of the column; "
        f"* permutation test, Holm-corrected, {SIGNIFICANT:g}",
    )
    names, letters = [s.strategy for s in standing.scores], LETTERS[: len(standing.scores)]
    duels = _duels(result, standing)
    output.show(table(
        ("contender", *(f">{letter}|%" for letter in letters)),
        [(f"{letter} {row}", *(duels.get((row, column), "") for column in names))
         for letter, row in zip(letters, names, strict=True)],
    ))  # fmt: skip
    if not any(s.better_than for s in standing.scores):
        output.show("  no two contenders can be told apart: more seeds would be needed")
    if standing.critical_difference is not None:
        output.show(Text(
            f"  mean ranks over {standing.blocks} blocks differ from "
            f"{standing.critical_difference:.2f} on (Nemenyi)", style="faint",
        ))  # fmt: skip
    output.show("")


def _duels(result: Result, standing: Standing) -> dict[tuple[str, str], str]:
    """Return a cell for every ordered pair of contenders."""
    names, cells = result.contest.strategies, {}
    for p in standing.pairs:
        mark = "*" if p.corrected <= SIGNIFICANT else " "
        cells[names[p.a], names[p.b]] = f"{100 * p.superiority:.0f}{mark}"
        cells[names[p.b], names[p.a]] = f"{100 * (1 - p.superiority):.0f}{mark}"
    return cells


def _show_front(
    output: Output, objectives: Sequence[str], units: Sequence[str], front: KnownFront
) -> None:
    output.show("")
    output.title(str(front.case), front.about)
    rows = [
        (
            *(loss(x, unit, 4) for x, unit in zip(m.losses, units, strict=True)),
            m.run.run.strategy,
            str(m.run.run.seed),
            str(m.trial),
        )
        for m in front.members
    ]
    columns = (*(f">{name}" for name in objectives), "found by", ">seed", ">trial")
    output.show(table(columns, rows))


def _show_tuned(output: Output, tuned: Rehearsal) -> None:
    output.show("")
    output.title("tuned first", tuned.about)
    output.show(table(
        ("contender", "options changed", ">tried", ">before|log2", ">after|log2", ">runs",
         ">trials", ">time"),
        [(t.contender, t.changes, str(t.tried), f"{t.before:.3f}", f"{t.after:.3f}", str(t.runs),
          whole(t.trials), duration(t.seconds)) for t in tuned.tuned],
    ))  # fmt: skip
    output.prose(
        "log2: mean of the final loss over the best known there, of the contender as named and "
        "as tuned", "faint", indent=2,
    )  # fmt: skip


def _name(letter: str, score: Score) -> str:
    return f"{letter} {score.strategy}"


def _quality(letter: str, s: Score) -> tuple[Cell, ...]:
    return (
        _name(letter, s), ratio(s.median), f"{digits(s.lower)} .. {digits(s.upper)}",
        f"{s.rank:.2f}", f"{100 * s.superiority:.0f}", f"{100 * s.reached:.0f}",
        _soon(s.trials_to_reach), _soon(s.evaluations_to_reach), f"{s.log_regret:.3f}",
    )  # fmt: skip


def _soon(count: float) -> str:
    return whole(count) if math.isfinite(count) else "never"


def _cost(letter: str, s: Score) -> tuple[Cell, ...]:
    return (
        _name(letter, s), f"{s.designs:.1f}", f"{100 * s.infeasible:.1f}", whole(s.evaluations),
        duration(s.think_seconds), duration(s.evaluate_seconds),
    )  # fmt: skip


def _cases(result: Result, unit: str) -> Iterator[tuple[str, str, str, str]]:
    for case in result.solved:
        best = result.best_known(case)
        winners = [o for o in result.outcomes if o.run.case == case and o.best == best]
        names = sorted({o.run.strategy for o in winners})
        proof = "proven optimal" if all(o.proven for o in winners) else "not proven"
        yield str(case), loss(best, unit, 4), ", ".join(names), proof
