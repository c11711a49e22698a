"""What a reproduction found, beside what the paper reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from attrs import frozen

from cosearch.cli.output import Output, table
from cosearch.quantities import percent
from cosearch.registry.registry import Registry
from cosearch_plugins.papers.shi2020.runs import (
    PUBLISHED,
    Baselines,
    Outcome,
    Plan,
    baselines,
    stored,
)
from cosearch_plugins.papers.shi2020.setting import Setting

WAYPOINTS = (10, 25)
"""Designs after which a contender's progress is shown."""

LEGEND = (
    "per cent: energy-delay product below Eyeriss' own, median over seeds (and worst and best); "
    "(a) Eyeriss with the best mapping under its row-stationary rules, (b) with the best mapping "
    "of all, which is fairer: the search may leave the rules too"
)


@frozen(eq=False)
class Finding:
    """A contender on a model, beside Eyeriss.

    Attributes:
        setting: prices and resources.
        outcome: of the contender.
        eyeriss: what the chip itself comes to.
    """

    setting: Setting
    outcome: Outcome
    eyeriss: Baselines

    def facts(self) -> dict[str, object]:
        """Return it as a JSON object."""
        outcome, eyeriss = self.outcome, self.eyeriss
        return {
            "setting": self.setting.name,
            "hardware": self.setting.hardware(outcome.model),
            "model": outcome.model,
            "contender": outcome.contender.name,
            "published": PUBLISHED.get(outcome.model),
            "seeds": len(outcome.losses),
            "baseline_row_stationary": eyeriss.rows,
            "baseline_free": eyeriss.free,
            "baseline_timeloop_rules": eyeriss.timeloop,
            "floor": eyeriss.floor,
            "improvement_row_stationary": outcome.improvement(eyeriss.rows),
            "improvement_free": outcome.improvement(eyeriss.free),
            "improvement_timeloop_rules": outcome.improvement(eyeriss.timeloop),
            "losses": outcome.losses,
        }


def findings(registry: Registry, plans: Iterable[Plan], store: Path) -> list[Finding]:
    """Return what the store has of every plan."""
    found = []
    for design in plans:
        outcomes = stored(registry, design, store)
        eyeriss = {m: baselines(registry, design.setting, m) for m in {o.model for o in outcomes}}
        found += [Finding(design.setting, o, eyeriss[o.model]) for o in outcomes]
    return found


def show_contenders(output: Output, found: Sequence[Finding]) -> None:
    """Show a table a model, a row a contender."""
    for model, group in groupby(_by_model(found), key=lambda f: f.outcome.model):
        rows = list(group)
        eyeriss = rows[0].eyeriss
        output.title(
            model,
            f"{_published(model)}; Eyeriss: (a) {eyeriss.rows:.4g}, (b) {eyeriss.free:.4g} "
            f"pJ*cycles; {rows[0].setting.said}",
        )
        trials = rows[0].outcome.curves.shape[1]
        passed = [n for n in WAYPOINTS if n < trials]
        header = (
            "contender",
            ">seeds",
            *(f">(a), {n} designs" for n in passed),
            f">(a), {trials} designs",
            ">worst .. best",
            ">(b)",
        )
        output.show(table(header, [_contender(f, passed) for f in rows]), "")
    output.prose(LEGEND)


def _contender(finding: Finding, passed: Sequence[int]) -> tuple[str, ...]:
    outcome, (a, b) = finding.outcome, (finding.eyeriss.rows, finding.eyeriss.free)
    worst, median, best = outcome.improvement(a)
    return (
        outcome.contender.name,
        str(len(outcome.losses)),
        *(percent(outcome.improvement(a, n)[1]) for n in passed),
        percent(median),
        f"{percent(worst)} .. {percent(best)}",
        percent(outcome.improvement(b)[1]),
    )


def show_variants(output: Output, found: Sequence[Finding]) -> None:
    """Show a table a model, a row a way to price Eyeriss."""
    for model, group in groupby(_by_model(found), key=lambda f: f.outcome.model):
        rows = list(group)
        output.title(model, f"{_published(model)}; {rows[0].outcome.contender.name}")
        header = (
            "Eyeriss priced and bounded",
            ">seeds",
            ">(a), Timeloop's rules",
            ">(a)",
            ">worst .. best",
            ">(b)",
            ">(a), at most",
        )
        output.show(table(header, [_variant(f) for f in rows]), "")
    output.prose(f"{LEGEND}; at most: a bound that no design with any mapping exceeds")


def _variant(finding: Finding) -> tuple[str, ...]:
    outcome, eyeriss = finding.outcome, finding.eyeriss
    worst, median, best = outcome.improvement(eyeriss.rows)
    return (
        finding.setting.said,
        str(len(outcome.losses)),
        percent(outcome.improvement(eyeriss.timeloop)[1]),
        percent(median),
        f"{percent(worst)} .. {percent(best)}",
        percent(outcome.improvement(eyeriss.free)[1]),
        percent(1 - eyeriss.floor / eyeriss.rows),
    )


def _by_model(found: Sequence[Finding]) -> list[Finding]:
    models = list(dict.fromkeys(f.outcome.model for f in found))
    return sorted(found, key=lambda f: models.index(f.outcome.model))


def _published(model: str) -> str:
    share = PUBLISHED.get(model, np.nan)
    return f"published: {percent(share)} better" if share == share else "no figure published"
