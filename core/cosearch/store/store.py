"""Studies in one SQLite file: trials are committed as they end, and nothing is pickled.

Many processes may read while one writes (write-ahead log). Killing the writer at any moment leaves
a whole file.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.store.records import (
    ADD_PRUNED,
    ADD_STUDY,
    ADD_TRIAL,
    COUNT_OF,
    DESIGNS_OF,
    LAST_OF,
    LAYERS_OF,
    LOSSES_OF,
    NUMBERS_OF,
    PRUNED_OF,
    REMEMBER,
    STUDIES,
    TRIALS_OF,
    WHOLE_OF,
    Header,
    PrunedDesign,
    TrialRows,
    designs_of,
    found_of,
    header_of,
    header_values,
    layer_of,
    losses_of,
    mapped_rows,
    pruned_of,
    pruned_values,
    trial_of,
)
from cosearch.store.schema import (
    connect,
    explained,
    has_pruned,
    kept_summary,
    snapshot,
    transaction,
    trials_table,
)
from cosearch.store.wholeness import (
    HEADER,
    LAST,
    damaged,
    digest_of,
    digest_of_header,
    digest_of_trial,
    digests_of,
    whole,
)
from cosearch.trials.fidelity import WHOLE, spent
from cosearch.trials.trial import Outcome, Trial


class Store:
    """An open store.

    Args:
        path: the SQLite file; made if it is to be written and does not exist.
        write: False to read alone, also while another process writes.

    Raises:
        CosearchError: the file cannot be used, and why.
    """

    def __init__(self, path: Path, *, write: bool = True) -> None:
        self.path = path
        self._connection = connect(path, write=write)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def headers(self) -> list[Header]:
        """Return every study, oldest first."""
        with explained(self.path):
            rows = self._connection.execute(STUDIES + " ORDER BY id").fetchall()
            digests = {row[0]: digest_of(self._connection, row[0], HEADER) for row in rows}
        return [self._header(row, digests[row[0]]) for row in rows]

    def _header(self, row: tuple[Any, ...], digest: int | None) -> Header:
        what = f"the study {row[0]!r}"
        return whole(self.path, what, lambda: header_of(row), digest_of_header(*row[:2]), digest)

    def find(self, name: str) -> Header | None:
        """Return the study of that name, or None."""
        with explained(self.path):
            row = self._connection.execute(STUDIES + " WHERE name = ?", (name,)).fetchone()
            digest = digest_of(self._connection, name, HEADER)
        return None if row is None else self._header(row, digest)

    def header(self, name: str) -> Header:
        """Return the study of that name, or raise UnknownNameError with near names."""
        found = self.find(name)
        if found is None:
            raise UnknownNameError("study", name, [h.name for h in self.headers()])
        return found

    def create(self, header: Header) -> None:
        """Add a study without trials."""
        with explained(self.path), transaction(self._connection):
            values = header_values(header)
            made = self._connection.execute(ADD_STUDY, values).lastrowid
            self._check(made, HEADER, digest_of_header(*values[:2]))

    def _check(self, study: int | None, number: int, digest: int) -> None:
        self._connection.execute("INSERT INTO checks VALUES (?, ?, ?)", (study, number, digest))

    def update(self, header: Header) -> None:
        """Replace a study's facts, budget, status, note and seconds."""
        values = header_values(header)[2:]
        with explained(self.path), transaction(self._connection):
            self._connection.execute(
                "UPDATE studies SET facts = ?, budget = ?, status = ?, note = ?, seconds = ? "
                "WHERE name = ?",
                (*values, header.name),
            )

    def add(self, name: str, trial: Trial, purpose: str, seconds: float) -> None:
        """Commit a trial; see `add_all`."""
        self.add_all(name, [(trial, purpose)], seconds)

    def add_all(self, name: str, trials: Sequence[tuple[Trial, str]], seconds: float) -> None:
        """Commit trials, all or none, and their layers' results for whoever needs them again.

        Args:
            name: of the study.
            trials: each with a number that the study does not have yet, and with the purpose of its
                layers' results, see `MappingTask.remembered_by`; empty to keep them with the trial
                alone.
            seconds: the study's wall-clock time so far.
        """
        rows = [TrialRows.of(trial, purpose) for trial, purpose in trials]
        with explained(self.path), transaction(self._connection):
            query = "UPDATE studies SET seconds = ? WHERE name = ? RETURNING id"
            study = self._connection.execute(query, (seconds, name)).fetchone()[0]
            add = self._connection.executemany
            try:
                add(ADD_TRIAL, [(study, *row.values) for row in rows])
            except sqlite3.IntegrityError:
                raise CosearchError(
                    f"another process is running the study {name!r}",
                    "wait until it ends, or give this one another name with --study",
                ) from None
            layers = [(study, *layer) for row in rows for layer in row.placed]
            add("INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?, ?)", layers)
            checks = [
                (study, row.values[0], digest_of_trial(row.values, row.layers)) for row in rows
            ]
            add("INSERT INTO checks VALUES (?, ?, ?)", checks)
            add(REMEMBER, [mapped for row in rows for mapped in row.mapped])

    def remember(self, outcome: Outcome, purpose: str) -> None:
        """Keep what mappers found for a design, without a trial; see `add`."""
        with explained(self.path), transaction(self._connection):
            self._connection.executemany(REMEMBER, mapped_rows(outcome, purpose))

    def trials(self, name: str, first: int = 0, last: int = LAST) -> list[Trial]:
        """Return a study's trials in the order of their numbers, the baseline first.

        Args:
            name: of the study.
            first: number of those to return.
            last: number of those to return.
        """
        asked = name, first, last
        with explained(self.path), snapshot(self._connection):
            layers: dict[int, list[tuple[Any, ...]]] = {}
            for number, *facts in self._connection.execute(LAYERS_OF, asked):
                layers.setdefault(number, []).append(tuple(facts))
            query = TRIALS_OF.format(trials=trials_table(self._connection))
            rows = self._connection.execute(query, asked).fetchall()
            digests = digests_of(self._connection, *asked)
        return [self._trial(name, row, layers.get(row[0], []), digests) for row in rows]

    def _trial(
        self,
        name: str,
        row: tuple[Any, ...],
        layers: Sequence[tuple[Any, ...]],
        digests: Mapping[int, int],
    ) -> Trial:
        """Return a trial from its columns, or raise CosearchError where they are damaged."""
        what = f"trial {row[0]} of the study {name!r}"
        if HEADER in digests and row[0] not in digests:
            raise damaged(self.path, what, "it has no checksum")
        found, kept = digest_of_trial(row, layers), digests.get(row[0])
        return whole(self.path, what, lambda: trial_of(row, map(_layer, layers)), found, kept)

    def trial(self, name: str, number: int) -> Trial:
        """Return one trial of a study; raises CosearchError where it is damaged."""
        found = self.trials(name, number, number)
        if not found:
            raise damaged(self.path, f"trial {number} of the study {name!r}", "it is not found")
        return found[0]

    def in_blocks(self, name: str, rows: int) -> Iterator[Trial]:
        """Yield what `trials` returns, about so many trials and layers at a time in memory."""
        with explained(self.path):
            last = self._connection.execute(LAST_OF, (name,)).fetchone()[0]
        first, size, heaviest = 0, 1, 1
        while last is not None and first <= last:
            trials = self.trials(name, first, first + size - 1)
            yield from trials
            heaviest = max(heaviest, *(trial.rows for trial in trials), 1)
            first, size = first + size, max(1, min(8 * size, rows // heaviest))

    def names(self) -> list[str]:
        """Return the names of all studies, oldest first, damaged ones too."""
        with explained(self.path):
            rows = self._connection.execute("SELECT name FROM studies ORDER BY id").fetchall()
        return [name for (name,) in rows]

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of a study's trials, those whose columns are gone too."""
        with explained(self.path):
            rows = self._connection.execute(NUMBERS_OF, (name,)).fetchall()
            known = digests_of(self._connection, name)
        return sorted({number for (number,) in rows} | {n for n in known if n != HEADER})

    def pages(self) -> list[str]:
        """Return what SQLite finds damaged in the file's own structure, a sentence each."""
        with explained(self.path):
            found = [text for (text,) in self._connection.execute("PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else [f"{self.path}: {' '.join(t.split())}" for t in found]

    def prune(self, name: str, designs: Iterable[PrunedDesign]) -> None:
        """Add designs that left a study's space; those it has already stay as they are."""
        values = [(*pruned_values(design), name) for design in designs]
        if values:
            with explained(self.path), transaction(self._connection):
                self._connection.executemany(ADD_PRUNED, values)

    def pruned(self, name: str) -> list[PrunedDesign]:
        """Return the designs that left a study's space, in the order of leaving."""
        with explained(self.path), snapshot(self._connection):
            if not has_pruned(self._connection):
                return []
            rows = self._connection.execute(PRUNED_OF, (name,)).fetchall()
        return [pruned_of(row) for row in rows]

    def count(self, name: str) -> int:
        """Return how many trials of its strategy a study has."""
        with explained(self.path):
            found: int = self._connection.execute(COUNT_OF, (name,)).fetchone()[0]
        return found

    def spent(self, name: str) -> float:
        """Return how many whole trials a study's trials come to, see `cosearch.trials.fidelity`."""
        with explained(self.path), snapshot(self._connection):
            table = trials_table(self._connection)
            whole = self._connection.execute(WHOLE_OF.format(trials=table), (name,)).fetchone()
            if whole[0] in (None, WHOLE):
                return float(whole[1])
            query = DESIGNS_OF.format(trials=table)
            rows = self._connection.execute(query, (name,)).fetchall()
        return spent(designs_of(rows))[-1] if rows else 0.0

    def best_of(self, name: str) -> tuple[int | None, tuple[float, ...]]:
        """Return number and losses of the best trial, as `Study.best` has it; None without one."""
        with explained(self.path), snapshot(self._connection):
            query = LOSSES_OF.format(trials=trials_table(self._connection))
            rows = self._connection.execute(query, (name,)).fetchall()
        merits = [(math.prod(losses), number, losses) for number, losses in map(losses_of, rows)]
        _, number, losses = min(merits, default=(math.inf, None, ()))
        return number, losses

    def find_mapped(
        self, accelerator: str, layer: str, purpose: str
    ) -> LayerResult | Unmapped | None:
        """Return what a mapper found before, or None."""
        query = "SELECT result FROM mapped WHERE accelerator = ? AND layer = ? AND purpose = ?"
        with explained(self.path):
            row = self._connection.execute(query, (accelerator, layer, purpose)).fetchone()
        return None if row is None else found_of(layer, row[0])

    def summarize(self, name: str, last: int, facts: Mapping[str, Any]) -> None:
        """Keep what `cosearch studies` shows of a study up to its last trial.

        Args:
            name: of the study.
            last: number of its last trial.
            facts: `trials`, `spent`, `best` (a number, or None) and `losses`.
        """
        with explained(self.path), transaction(self._connection):
            self._connection.execute(
                "INSERT OR REPLACE INTO summaries SELECT id, ?, ? FROM studies WHERE name = ?",
                (last, json.dumps(facts), name),
            )

    def summary(self, name: str) -> Mapping[str, Any]:
        """Return `trials`, `spent`, `best` and `losses`, as kept or from the trials."""
        with explained(self.path), snapshot(self._connection):
            kept = kept_summary(self._connection, name)
        if kept is not None:
            return kept
        best, losses = self.best_of(name)
        counts = {"trials": self.count(name), "spent": self.spent(name)}
        return {**counts, "best": best, "losses": losses}

    def remembered(self) -> tuple[int, int]:
        """Return how many results of mappers are remembered, and their size in bytes."""
        query = "SELECT count(*), coalesce(sum(length(result)), 0) FROM mapped"
        with explained(self.path):
            count, size = self._connection.execute(query).fetchone()
        return count, size

    def forget(self) -> int:
        """Forget every remembered result of a mapper; return how many there were.

        Trials keep theirs: no study changes.
        """
        with explained(self.path), transaction(self._connection):
            return self._connection.execute("DELETE FROM mapped").rowcount


def _layer(columns: tuple[Any, ...]) -> LayerResult:
    return layer_of(*columns)


class StoredTrials:
    """A stored study's trials, read when they are asked for, by whoever has the study.

    Args:
        path: of the store.
        name: of the study.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self._store: Store | None = None

    def __call__(self, first: int, last: int) -> list[Trial]:
        """Return the trials from one number to another."""
        if self._store is None:
            self._store = Store(self.path, write=False)
        return self._store.trials(self.name, first, last)

    def __del__(self) -> None:
        if self._store is not None:
            self._store.close()


class StoredResults:
    """The store's results of mappers, read by whatever process needs them.

    Args:
        path: of a store that exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store: Store | None = None

    def find(self, accelerator: str, layer: str, purpose: str) -> LayerResult | Unmapped | None:
        """Return a result, or None; None too where no such file is in sight of this machine."""
        if self._store is None:
            if not self.path.exists():
                return None
            self._store = Store(self.path, write=False)
        return self._store.find_mapped(accelerator, layer, purpose)

    def close(self) -> None:
        """Close the file, until something is to be found again."""
        if self._store is not None:
            self._store.close()
            self._store = None

    __del__ = close
