"""Races kept in a file, one JSON object a line: what was run is not run again."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, evolve

from cosearch.errors import CosearchError, InputError
from cosearch_plugins.bench.races import Race

_WRONG = (ValueError, TypeError, KeyError, OverflowError, RecursionError)
"""What reading a line that is no race may raise."""


class Kept:
    """Races of a file, and those that are added to it.

    A race is of a table's content: where costs have changed since, it is not found. The code of its
    contender is not looked at.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._races: dict[tuple[str, str, int], Race] = {}
        if file is not None and not file.absolute().parent.is_dir():
            raise CosearchError(f"there is no folder {file.parent}", "make it, or name another")
        text = file.read_bytes() if file and file.exists() else b""
        self._open_ended = bool(text) and not text.endswith(b"\n")
        lines = text.removesuffix(b"\n").split(b"\n") if text else []
        for number, line in enumerate(lines, 1):
            try:
                self._put(*_race(json.loads(line.decode("utf-8"))))
            except _WRONG as error:
                cut = self._open_ended and number == len(lines)
                hint = "it was cut off as it was written: delete that line" if cut else ""
                raise InputError(
                    f"{file}:{number}", [f"is no race: {_said(error)}"], hint
                ) from None

    def of(self, table: str) -> list[Race]:
        """Return all races on the table of that digest, in the order of the file."""
        return [race for (digest, *_), race in self._races.items() if digest == table]

    def elsewhere(self, task: str, table: str) -> int:
        """Return how many races are of a task, but on another table than that of the digest."""
        others = [key for key, race in self._races.items() if race.task == task]
        return len([digest for digest, *_ in others if digest != table])

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
            line = json.dumps(facts, allow_nan=False) + "\n"
            with self._file.open("a", encoding="utf-8") as file:
                file.write("\n" + line if self._open_ended else line)
            self._open_ended = False

    def _put(self, table: str, race: Race) -> None:
        """Keep the longer of two races that are alike but for their budgets, at those of both."""
        key = (table, race.strategy, race.seed)
        known = self._races.get(key, race)
        longer, other = (known, race) if known.budgets[-1] > race.budgets[-1] else (race, known)
        regrets = dict(zip(other.budgets, other.regrets, strict=True))
        regrets |= zip(longer.budgets, longer.regrets, strict=True)
        budgets = tuple(sorted(regrets))
        at_each = tuple(regrets[budget] for budget in budgets)
        self._races[key] = evolve(longer, budgets=budgets, regrets=at_each)


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


def _race(facts: dict[str, Any]) -> tuple[str, Race]:
    """Return the table and the race that a line tells of; ValueError or TypeError if none."""
    if not isinstance(facts, dict):
        raise TypeError("it is no object")
    table, of = facts.pop("table"), facts["budgets"]
    texts = (table, facts["task"], facts["strategy"])
    counts = (facts["seed"], facts["designs"], facts["feasible"])
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise TypeError("table, task and strategy are texts")
    if not all(_whole(n) and n >= 0 for n in counts) or not 0 < counts[1] >= counts[2]:
        raise ValueError("seed, designs and feasible count, and designs are the more")
    if not of or not all(map(_whole, of)) or of[0] < 1 or of != sorted(set(of)):
        raise ValueError("budgets ascend from 1")
    if len(facts["regrets"]) != len(of):
        raise ValueError("there is a regret for each budget")
    hit, *regrets = (
        math.inf if n is None else _number(n) for n in (facts["hit"], *facts["regrets"])
    )
    given = {"hit": hit, "budgets": tuple(of), "regrets": tuple(regrets)}
    return table, Race(**facts | given | {"cpu_s": _number(facts["cpu_s"])})


def _whole(value: object) -> bool:
    return type(value) is int


def _number(value: Any) -> float:  # noqa: ANN401 - whatever JSON has
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def _said(error: Exception) -> str:
    """Return what an exception says of a line, in words."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg}"
    return "it nests too deeply" if isinstance(error, RecursionError) else str(error)


def _or_none(value: float) -> float | None:
    """Return a number as JSON has it: nothing for infinite."""
    return value if math.isfinite(value) else None
