import random
import sqlite3
from contextlib import closing

import pytest
from attrs import evolve

from cosearch.errors import CosearchError
from cosearch.store.repair import damages, repair
from cosearch.store.store import Store
from cosearch.store.wholeness import opened, sealed

CHANGES = {
    "trials": ("metrics", "losses", "configuration", "row", "state", "reason", "seconds"),
    "layers": ("result", "count", "name"),
}


@pytest.fixture
def path(study_of, tmp_path):
    for name in ("first", "second"):
        study_of(name=name, trials=6, store=tmp_path / "s.db", seed=len(name))
    return tmp_path / "s.db"


def change(path, sql, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql, values).fetchone()


def other(value):
    """Return another value of the same type."""
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    return value + 1


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, cs in CHANGES.items() for c in cs])
def test_a_changed_value_is_named(path, table, column):
    where = f"FROM {table} WHERE number = 2 AND study = 1"
    value = change(path, f"SELECT {column} {where}")[0]
    update = f"UPDATE {table} SET {column} = ? WHERE number = 2 AND study = 1"
    change(path, update, other(value))
    with Store(path, write=False) as store:
        with pytest.raises(CosearchError, match=r"trial 2 of the study 'first' is damaged"):
            store.trials("first")
        assert len(store.trials("second")) == 7
    assert [text.split(" is ")[0].partition(": ")[2] for text in damages(path)] == [
        "trial 2 of the study 'first'"
    ]


def test_changed_settings_are_named(path):
    change(path, "UPDATE studies SET spec = replace(spec, 'toy', 'tot') WHERE id = 1")
    with (
        Store(path, write=False) as store,
        pytest.raises(CosearchError, match="the study 'first' is damaged"),
    ):
        store.header("first")


def test_a_trial_that_is_gone_is_named(path):
    change(path, "DELETE FROM layers WHERE number = 3 AND study = 2")
    change(path, "DELETE FROM trials WHERE number = 3 AND study = 2")
    assert ["trial 3 of the study 'second'" in text for text in damages(path)] == [True]


def test_what_is_whole_is_saved(path, tmp_path):
    change(path, "UPDATE trials SET metrics = '{' WHERE number = 2 AND study = 1")
    saved = repair(path, tmp_path / "new.db")
    assert (saved.studies, saved.trials, len(saved.lost)) == (2, 13, 1)
    assert damages(tmp_path / "new.db") == []
    with Store(path, write=False) as old, Store(tmp_path / "new.db", write=False) as new:
        assert new.trials("second") == old.trials("second")
        assert [t.number for t in new.trials("first")] == [0, 1, 3, 4, 5, 6]
        assert new.header("first") == old.header("first")
    with pytest.raises(CosearchError, match="exists already"):
        repair(path, tmp_path / "new.db")


def test_a_saved_study_is_continued_to_the_same_end(path, study_of, tmp_path):
    whole = study_of(name="first", trials=6, store=path, seed=5)
    change(path, "UPDATE trials SET losses = '[]' WHERE number = 4 AND study = 1")
    repair(path, tmp_path / "new.db")
    change(tmp_path / "new.db", "UPDATE studies SET status = 'interrupted'")
    again = study_of(name="first", trials=6, store=tmp_path / "new.db", seed=5)
    assert [t.outcome.losses for t in again.in_order] == [t.outcome.losses for t in whole.in_order]


def test_flipped_bits_are_a_message_or_change_nothing(path):
    with Store(path, write=False) as store:
        before = {name: store.trials(name) for name in store.names()}
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content, draw = path.read_bytes(), random.Random(1)
    said = 0
    for _ in range(150):
        spoilt = bytearray(content)
        spoilt[draw.randrange(len(spoilt))] ^= 1 << draw.randrange(8)
        path.write_bytes(spoilt)
        try:
            with Store(path, write=False) as store:
                for name in store.names():
                    store.header(name)
                    read = store.trials(name)
                    assert [t for t in read if t not in before[name]] == []
                    store.find_mapped("a", "b", "c")
        except CosearchError:
            said += 1
    assert said > 10


def test_a_damaged_remembered_result_is_found_anew(path):
    change(path, "UPDATE mapped SET result = replace(result, '\"cycles\": ', '\"cycles\": 1')")
    accelerator, layer, purpose = change(path, "SELECT accelerator, layer, purpose FROM mapped")
    with Store(path, write=False) as store:
        assert store.find_mapped(accelerator, layer, purpose) is None


def test_texts_are_sealed():
    assert opened(sealed('{"a": 1}')) == '{"a": 1}'
    assert opened(sealed('{"a": 1}').replace("1}", "2}")) is None
    assert opened('{"a": 1}') == '{"a": 1}'


def test_a_store_that_cannot_be_shared_is_read(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.with_name(path.name + "-shm").mkdir()  # as where the folder may not be written
    with Store(path, write=False) as store:
        assert len(store.trials("first")) == 7
    assert damages(path) == []


def test_a_summary_is_what_the_trials_say(path):
    with Store(path) as store:
        kept = store.summary("first")
        best, losses = store.best_of("first")
        assert (kept["trials"], kept["spent"]) == (store.count("first"), store.spent("first"))
        assert (kept["best"], tuple(kept["losses"])) == (best, losses)
        trial = evolve(store.trials("first")[-1], number=7)
        store.add("first", trial, "", 1.0)
        assert store.summary("first")["trials"] == 7
