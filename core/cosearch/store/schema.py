"""The tables of a store, and the opening of files that may not be one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cosearch.errors import CosearchError

APPLICATION = 0x636F7365
"""SQLite's application id of our files: the letters `cose`."""

VERSION = 8
"""Version of the tables, in SQLite's user version.

In version 1 trials had no fidelity, in version 2 no violations of single limits, in
version 3 no groups, in version 4 no pruned designs, in version 5 no network that
a scheme chose, in version 6 no checksums, in version 7 no summaries of studies.
"""

PRUNED = """
CREATE TABLE pruned (
    study INTEGER NOT NULL REFERENCES studies(id),
    configuration TEXT NOT NULL, -- JSON: parameter to value
    floor TEXT NOT NULL,         -- JSON: losses that it cannot undercut; empty where impossible
    reason TEXT NOT NULL,        -- why it is impossible; empty where the floor ruled it out
    after INTEGER NOT NULL,      -- trials that had ended by then
    UNIQUE (study, configuration)
) STRICT"""

CHECKS = """
CREATE TABLE checks (
    study INTEGER NOT NULL REFERENCES studies(id),
    number INTEGER NOT NULL,     -- of the trial; -1 is the study's settings
    digest INTEGER NOT NULL,     -- see `cosearch.store.wholeness`
    PRIMARY KEY (study, number)
) STRICT, WITHOUT ROWID"""

SUMMARIES = """
CREATE TABLE summaries (
    study INTEGER PRIMARY KEY REFERENCES studies(id),
    last INTEGER NOT NULL,       -- number of the last trial that it takes in
    facts TEXT NOT NULL          -- JSON: trials, spent, best, losses
) STRICT"""

_BROUGHT = {
    2: "ALTER TABLE trials ADD COLUMN fidelity REAL NOT NULL DEFAULT 1.0",
    3: "ALTER TABLE trials ADD COLUMN violations TEXT NOT NULL DEFAULT '{}'",
    4: "ALTER TABLE trials ADD COLUMN groups TEXT NOT NULL DEFAULT '[]'",
    5: PRUNED,
    6: "ALTER TABLE trials ADD COLUMN network TEXT NOT NULL DEFAULT '{}'",
    7: CHECKS,
    8: SUMMARIES,
}
"""What each version brought."""

WAIT_SECONDS = 30.0
"""How long to wait for another process to finish writing."""

TABLES = """
CREATE TABLE studies (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,          -- JSON: what decides the result
    facts TEXT NOT NULL,         -- JSON: versions, digests, when it was begun
    budget TEXT NOT NULL,        -- JSON: trials, evaluations, seconds
    status TEXT NOT NULL,        -- running, finished, exhausted, interrupted
    note TEXT NOT NULL,          -- why it ended
    seconds REAL NOT NULL        -- wall-clock time over all sessions
) STRICT;
CREATE TABLE trials (
    study INTEGER NOT NULL REFERENCES studies(id),
    number INTEGER NOT NULL,     -- 0 is the baseline
    row TEXT NOT NULL,           -- JSON: indices of the choices
    configuration TEXT NOT NULL, -- JSON: parameter to value
    state TEXT NOT NULL,         -- ok, infeasible, failed
    reason TEXT NOT NULL,
    violation REAL,              -- relative; NULL where unknown
    accelerator TEXT NOT NULL,   -- digest of the machine
    losses TEXT NOT NULL,        -- JSON: one an objective
    metrics TEXT NOT NULL,       -- JSON: energy_pj, cycles, area_mm2, clock_mhz
    unmapped TEXT,               -- JSON: the layer that no mapping was found for
    think_seconds REAL NOT NULL,
    seconds REAL NOT NULL,
    fidelity REAL NOT NULL DEFAULT 1.0, -- share of the unique layers that the outcome holds for
    violations TEXT NOT NULL DEFAULT '{}', -- JSON: by how much each limit is missed, relative
    groups TEXT NOT NULL DEFAULT '[]', -- JSON: layers that run together, and how
    network TEXT NOT NULL DEFAULT '{}', -- JSON: its parameters, where the scheme chose them
    PRIMARY KEY (study, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE layers (
    study INTEGER NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    layer TEXT NOT NULL,         -- digest of the layer
    count INTEGER NOT NULL,
    result TEXT NOT NULL,        -- JSON: mapping row, costs of one run, how it was found
    PRIMARY KEY (study, number, position),
    FOREIGN KEY (study, number) REFERENCES trials(study, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE mapped (
    accelerator TEXT NOT NULL,
    layer TEXT NOT NULL,
    purpose TEXT NOT NULL,       -- mapper, objective, budget, seed
    result TEXT NOT NULL,        -- JSON, as in layers, or why there is none
    PRIMARY KEY (accelerator, layer, purpose)
) STRICT, WITHOUT ROWID;
"""


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Return a connection to a store, made if it is to be written and does not exist.

    Raises:
        CosearchError: the file is missing, of another program, of a newer version, damaged,
            locked, or may not be written.
    """
    if not write and not path.exists():
        raise missing(path)
    if path.is_dir():
        raise CosearchError(f"{path} is a directory, not a store")
    with explained(path):
        if write:
            return _prepared(path, "mode=rwc", write=True)
        try:
            return _prepared(path, "mode=ro", write=False)
        except sqlite3.OperationalError:
            if not _nobody_writes(path):
                raise
            # Where its folder cannot be written, SQLite cannot share a file with writers
            return _prepared(path, "immutable=1", write=False)


def _nobody_writes(path: Path) -> bool:
    """Return whether a store is all in its one file, with nothing left in a write-ahead log."""
    log = path.with_name(path.name + "-wal")
    return not log.exists() or log.stat().st_size == 0


def _prepared(path: Path, how: str, *, write: bool) -> sqlite3.Connection:
    """Return a connection of some mode to a file that is a store."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=WAIT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _prepare(connection, path, write=write)
    except BaseException:
        connection.close()
        raise
    return connection


def missing(path: Path) -> CosearchError:
    """Return the error for a store that is to be read and does not exist."""
    return CosearchError(
        f"there is no store {path}", "`cosearch run` makes one; name another with --store"
    )


def _prepare(connection: sqlite3.Connection, path: Path, *, write: bool) -> None:
    """Check whose file it is; make the tables in an empty one."""
    with snapshot(connection):
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        version = _version(connection)
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner not in (0, APPLICATION) or (owner == 0 and tables):
        raise CosearchError(
            f"{path} is a database of another program", "name another file with --store"
        )
    if version > VERSION:
        raise CosearchError(
            f"{path} was written by a newer cosearch (tables of version {version}; this one knows "
            f"{VERSION})",
            "upgrade: pip install --upgrade cosearch",
        )
    if not write:
        if owner == 0:
            raise CosearchError(f"{path} holds no studies yet")
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    if owner == 0:
        _create(connection)
    elif version < VERSION:
        _bring_up_to_date(connection)


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process has just done so."""
    with transaction(connection):
        if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION:
            return
        for statement in (*filter(str.strip, TABLES.split(";\n")), PRUNED, CHECKS, SUMMARIES):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Add what an older version lacks, unless another process has just done so."""
    with transaction(connection):
        for version in range(_version(connection) + 1, VERSION + 1):
            connection.execute(_BROUGHT[version])
            connection.execute(f"PRAGMA user_version = {version}")


def trials_table(connection: sqlite3.Connection) -> str:
    """Return what to select trials from: an older file, only read, is left as it is."""
    lacking = {
        2: "1.0 AS fidelity",
        3: "'{}' AS violations",
        4: "'[]' AS groups",
        6: "'{}' AS network",
    }
    added = [column for version, column in lacking.items() if version > _version(connection)]
    columns = ", ".join(["*", *added])
    return f"(SELECT {columns} FROM trials) AS trials" if added else "trials"  # noqa: S608


def has_pruned(connection: sqlite3.Connection) -> bool:
    """Return whether the file has the table of pruned designs; an old one may not."""
    return _version(connection) >= 5


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def kept_summary(connection: sqlite3.Connection, name: str) -> dict[str, Any] | None:
    """Return the summary of a study; None where there is none, or not of its last trials."""
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'summaries'"
    if not connection.execute(query).fetchone()[0]:
        return None
    query = (
        "SELECT summaries.facts, last = (SELECT max(number) FROM trials WHERE study = studies.id) "
        "FROM summaries JOIN studies ON studies.id = summaries.study WHERE name = ?"
    )
    row = connection.execute(query, (name,)).fetchone()
    return None if row is None or not row[1] else dict(json.loads(row[0]))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit everything or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read one state of the file with several queries, whoever writes meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


_SAVE = "`cosearch doctor --store FILE --repair NEW.db` saves what is whole"

_EXPLANATIONS = (
    ("locked", "is being written by another process", "wait until it ends, or use another --store"),
    ("readonly", "may not be written", "check who owns the file and its directory, or use --store"),
    ("unable to open", "cannot be opened or made", "check that its directory exists and is yours"),
    ("not a database", "is not a database", "name another file with --store"),
    (
        "malformed",
        "is damaged",
        _SAVE,
    ),
    ("disk is full", "cannot grow: the disk is full", "make room and resume"),
    ("disk I/O", "cannot be read or written: disk I/O error", "check the disk, then resume"),
)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one clear message about the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        for sign, what, hint in _EXPLANATIONS:
            if sign in text:
                raise CosearchError(f"the store {path} {what}", hint) from error
        raise CosearchError(f"the store {path} cannot be used: {text}") from error
    except UnicodeDecodeError as error:  # SQLite's own message quotes what is damaged
        raise CosearchError(
            f"the store {path} is damaged: it names what is no text", _SAVE
        ) from error
