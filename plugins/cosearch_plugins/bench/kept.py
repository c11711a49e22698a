"""Races kept in a file, one JSON object a line: what was run is not run again."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, evolve

from cosearch.errors import CosearchError
from cosearch_plugins.bench.races import Race


class Kept:
    """Races of a file, and those that are added to it.

    A race is of a table's content: where costs have changed since, it is not found.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._races: dict[tuple[str, str, int], Race] = {}
        lines = file.read_text("utf-8").splitlines() if file and file.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                facts = json.loads(line)
                self._put(facts.pop("table"), _race(facts))
            except (ValueError, TypeError, KeyError, AttributeError):
                raise CosearchError(f"line {number} of {file} is no race") from None

    def of(self, table: str) -> list[Race]:
        """Return all races on the table of that digest, in the order of the file."""
        return [race for (digest, *_), race in self._races.items() if digest == table]

    def find(self, table: str, strategy: str, seed: int, budgets: Sequence[int]) -> Race | None:
        """Return a race as it stood at budgets; None if none went so far."""
        race = self._races.get((table, strategy, seed))
        found = race and at(race, budgets)
        return None if found is None or np.isnan(found.regrets).any() else found

    def add(self, table: str, race: Race) -> None:
        """Keep a race, and write it down at once."""
        self._put(table, race)
        if self._file is not None:
            facts = {"table": table, **asdict(race)}
            facts |= {"hit": _or_none(race.hit), "regrets": [_or_none(r) for r in race.regrets]}
            facts["cpu_s"] = round(race.cpu_s, 6)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(facts, allow_nan=False) + "\n")

    def _put(self, table: str, race: Race) -> None:
        """Keep the longer of two races that are alike but for their budgets."""
        key = (table, race.strategy, race.seed)
        known = self._races.get(key)
        if known is None or known.budgets[-1] <= race.budgets[-1]:
            self._races[key] = race


def at(race: Race, budgets: Sequence[int]) -> Race:
    """Return a race as it stood at budgets; regrets are NaN where it was not run so far.

    One that ended by itself stays as it is for ever. Designs, feasible ones and time are those of
    the whole race.
    """
    known = dict(zip(race.budgets, race.regrets, strict=True))
    if race.designs < race.budgets[-1]:
        known |= {b: race.regrets[-1] for b in budgets if b >= race.designs}
    regrets = tuple(known.get(b, math.nan) for b in budgets)
    hit = race.hit if race.hit <= budgets[-1] else math.inf
    return evolve(race, budgets=tuple(budgets), regrets=regrets, hit=hit)


def _race(facts: dict[str, Any]) -> Race:
    regrets = tuple(math.inf if r is None else r for r in facts["regrets"])
    hit = math.inf if facts["hit"] is None else facts["hit"]
    return Race(**facts | {"hit": hit, "budgets": tuple(facts["budgets"]), "regrets": regrets})


def _or_none(value: float) -> float | None:
    """Return a number as JSON has it: nothing for infinite."""
    return value if math.isfinite(value) else None
