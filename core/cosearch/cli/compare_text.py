"""A comparison for people: who won, how surely, how soon, and at what cost."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.text import Text

from cosearch.cli.output import Cell, Output, table
from cosearch.compare.outcome import Result
from cosearch.compare.plot import LETTERS, anytime_plot
from cosearch.compare.scores import SIGNIFICANT, WITHIN, Score, Standing
from cosearch.quantities import digits, duration, percent, ratio, whole

PLOT_MARGIN = 14
WIDEST_PLOT = 72


def show(output: Output, result: Result, standing: Standing) -> None:
    """Show scores, differences, the anytime plot, and each case's best known."""
    for case in standing.unsolved:
        output.warn(f"{case}: no run found a feasible design; the case is left out")
    if not standing.scores:
        output.show("nothing to compare: no run found a feasible design")
        return
    contest = result.contest
    output.title(
        "who is best",
        f"{len(result.solved)} cases x {contest.seeds} runs; losses over the best known of a case",
    )
    output.show(table(
        ("contender", ">median", ">quartiles", ">rank", ">beats others|%", ">reaches|%",
         ">trials to reach", ">evaluations", ">area|log2"),
        [_quality(letter, s) for letter, s in zip(LETTERS, standing.scores, strict=False)],
    ))  # fmt: skip
    output.show(Text(
        f"  reaches: within {percent(WITHIN)} of the best known; area: mean log2 of the "
        "best-so-far ratio, 0 is perfect", style="faint",
    ))  # fmt: skip
    output.show("")
    output.title("who differs", f"permutation tests within cases, Holm-corrected, {SIGNIFICANT:g}")
    for line in _differences(standing):
        output.show(line)
    output.show("")
    output.title("what it took", "means of a run")
    output.show(table(
        ("contender", ">designs", ">infeasible|%", ">thinking", ">evaluating"),
        [_cost(letter, s) for letter, s in zip(LETTERS, standing.scores, strict=False)],
    ))  # fmt: skip
    output.show("")
    output.title("any time", "median over cases and runs of best so far over best known")
    width = min(output.console.width - PLOT_MARGIN, WIDEST_PLOT)
    names = tuple(s.strategy for s in standing.scores)
    for text in anytime_plot(result, names, max(width, 20)):
        output.show(text)
    output.show("")
    output.title("best known", contest.objective)
    output.show(table(("case", ">loss", "found by", "mappings"), list(_cases(result))))


def _name(letter: str, score: Score) -> str:
    return f"{letter} {score.strategy}"


def _quality(letter: str, s: Score) -> tuple[Cell, ...]:
    return (
        _name(letter, s), ratio(s.median), f"{digits(s.lower)} .. {digits(s.upper)}",
        f"{s.rank:.2f}", f"{100 * s.superiority:.0f}", f"{100 * s.reached:.0f}",
        _soon(s.trials_to_reach), _soon(s.evaluations_to_reach), f"{s.area:.3f}",
    )  # fmt: skip


def _soon(count: float) -> str:
    return whole(count) if math.isfinite(count) else "never"


def _cost(letter: str, s: Score) -> tuple[Cell, ...]:
    return (
        _name(letter, s), f"{s.designs:.1f}", f"{100 * s.infeasible:.1f}",
        duration(s.think_seconds), duration(s.evaluate_seconds),
    )  # fmt: skip


def _differences(standing: Standing) -> Iterator[str]:
    real = [s for s in standing.scores if s.better_than]
    for score in real:
        yield f"  {score.strategy} is better than {', '.join(score.better_than)}"
    if not real:
        yield "  no two contenders can be told apart: more seeds would be needed"
    if standing.critical_difference is not None:
        yield (
            f"  mean ranks over {standing.blocks} blocks differ from "
            f"{standing.critical_difference:.2f} on (Nemenyi)"
        )


def _cases(result: Result) -> Iterator[tuple[str, str, str, str]]:
    for case in result.solved:
        best = result.best_known(case)
        winners = [o for o in result.outcomes if o.run.case == case and o.best == best]
        names = sorted({o.run.strategy for o in winners})
        proof = "proven optimal" if all(o.proven for o in winners) else "not proven"
        yield str(case), f"{best:.4g}", ", ".join(names), proof
