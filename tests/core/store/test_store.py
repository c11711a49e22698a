import re
import sqlite3
import threading
from contextlib import closing

import pytest
from attrs import evolve

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.machine.cost import PartialTiles
from cosearch.mapping.mapper import Budget
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.store.records import FINISHED, Header
from cosearch.store.schema import APPLICATION, TABLES
from cosearch.store.store import Store, StoredResults
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import Outcome, State, Trial

SPEC = StudySpec("resnet18", "eyeriss", "evolutionary", "exact", fixed={"b": True, "x": 0.1})
HEADER = Header("first", SPEC, {"cosearch": "1", "plugins": ["p 1"]}, Budget(trials=3))
LAYERS = (
    LayerResult(
        "conv1", "k1", 2, (1, 2), 0.1 + 0.2, 7.0, True, 0.0, 10, 4, 0.5, {"big": 3}, "exact"
    ),
    LayerResult("conv2", "k2", 1, (), 1e300, 2.0**60, gap=0.25),
)
OK = Outcome(State.OK, "", None, "acc", (1 / 3,), {"energy_pj": 1e-9}, LAYERS, None, 0.25)
BAD = Outcome(
    State.INFEASIBLE, 'too "big" for \u03bc', 0.5, "acc2", unmapped=Unmapped("k1", "why", None, 9)
)
TRIALS = [
    Trial(0, (), {"b": True, "x": 1.5, "n": "s"}, OK),
    Trial(1, (3, 4), {"b": False}, OK, 0.125),
    Trial(2, (5,), {}, BAD),
]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "s.db") as opened:
        yield opened


def filled(store):
    store.create(HEADER)
    for trial in TRIALS:
        store.add("first", trial, "purpose", 1.5)
    return store


def test_everything_comes_back_to_the_last_digit(store):
    filled(store)
    assert store.trials("first") == TRIALS
    assert store.header("first") == evolve(HEADER, seconds=1.5)
    assert store.headers() == [evolve(HEADER, seconds=1.5)]
    assert store.count("first") == 2
    assert store.best_of("first") == (1, (1 / 3,))


def test_it_comes_back_in_another_process_while_this_one_writes(store, tmp_path):
    filled(store)
    with Store(tmp_path / "s.db", write=False) as reader:
        assert reader.trials("first") == TRIALS
        store.add("first", evolve(TRIALS[1], number=3), "purpose", 2.0)
        assert len(reader.trials("first")) == 4


def test_results_of_mappers_are_found_by_machine_layer_and_purpose(store, tmp_path):
    filled(store)
    cache = StoredResults(tmp_path / "s.db")
    assert cache.find("acc", "k1", "purpose") == evolve(LAYERS[0], name="", count=1)
    assert cache.find("acc2", "k1", "purpose") == BAD.unmapped
    for miss in (("acc", "k1", "other"), ("acc", "k9", "purpose"), ("acc9", "k1", "purpose")):
        assert cache.find(*miss) is None
    cache.close()


def test_status_and_budget_are_replaced(store):
    filled(store)
    ended = evolve(HEADER, budget=Budget(5, 6, 7.5), status=FINISHED, note="done", seconds=9.0)
    store.update(ended)
    assert store.header("first") == ended


def test_an_unknown_study_suggests_near_names(store):
    filled(store)
    with pytest.raises(UnknownNameError) as caught:
        store.header("frist")
    assert "first" in caught.value.hint


def test_two_processes_cannot_run_one_study(store, tmp_path):
    filled(store)
    with Store(tmp_path / "s.db") as other, pytest.raises(CosearchError, match="another process"):
        other.add("first", TRIALS[1], "purpose", 1.0)
    assert store.trials("first") == TRIALS


def test_trials_are_stored_together_or_none_is(store):
    filled(store)
    new = evolve(TRIALS[1], number=3)
    with pytest.raises(CosearchError, match="another process"):
        store.add_all("first", [(new, "purpose"), (TRIALS[2], "purpose")], 2.0)
    assert store.trials("first") == TRIALS
    store.add_all("first", [(new, ""), (evolve(TRIALS[2], number=4), "purpose")], 2.0)
    assert store.trials("first")[3:] == [new, evolve(TRIALS[2], number=4)]


def test_a_trial_is_stored_whole_or_not_at_all(store):
    store.create(HEADER)
    wrong = evolve(OK, layers=(LAYERS[0], evolve(LAYERS[1], gap=float("nan"))))
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.add("first", Trial(1, (), {}, wrong), "purpose", 1.0)
    assert store.trials("first") == []


def test_a_missing_file_is_not_made_by_reading(tmp_path):
    with pytest.raises(CosearchError, match="there is no store"):
        Store(tmp_path / "no.db", write=False)
    assert not (tmp_path / "no.db").exists()


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE t (x)")
    before = path.read_bytes()
    for write in (True, False):
        with pytest.raises(CosearchError, match="of another program"):
            Store(path, write=write)
    assert path.read_bytes() == before


def test_a_newer_version_is_refused(store, tmp_path):
    filled(store)
    with closing(sqlite3.connect(tmp_path / "s.db")) as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(CosearchError, match="newer cosearch") as caught:
        Store(tmp_path / "s.db")
    assert "upgrade" in caught.value.hint


def test_a_file_from_before_fidelities_is_read_as_it_is_and_continued(tmp_path):
    path = tmp_path / "old.db"
    written_by_version_1(path)
    before = path.read_bytes()
    with Store(path, write=False) as reader:
        assert [t.fidelity for t in reader.trials("first")] == [1.0, 1.0]
        assert reader.best_of("first") == (1, (0.5,))
        assert reader.spent("first") == 1.0
    assert path.read_bytes() == before
    cheap = evolve(TRIALS[1], number=2, fidelity=1 / 3, configuration={"b": True})
    with Store(path) as store, Store(path, write=False) as reader:
        store.add("first", cheap, "purpose", 2.0)
        assert reader.trials("first")[-1] == cheap
        assert reader.best_of("first") == (1, (0.5,))
        assert reader.spent("first") == 1 + 1 / 3


def written_by_version_1(path):
    tables = re.sub(r"\n    (fidelity|violations|groups|network) [^\n]*", "", TABLES)
    assert tables != TABLES
    old = sqlite3.connect(path)
    old.executescript(tables)
    old.execute(f"PRAGMA application_id = {APPLICATION}")
    old.execute("PRAGMA user_version = 1")
    values = ("first", SPEC.to_json(), "{}", "{}", FINISHED, "", 1.0)
    old.execute(f"INSERT INTO studies VALUES (1, {', '.join('?' * 7)})", values)
    for number in (0, 1):
        outcome = ("ok", "", None, "acc", "[0.5]", "{}", None, 0.0, 0.0)
        values = (1, number, "[]", f'{{"n": {number}}}', *outcome)
        old.execute(f"INSERT INTO trials VALUES ({', '.join('?' * 13)})", values)
    old.commit()
    old.close()


@pytest.mark.parametrize("content", [b"not a database " * 100, b"SQLite format 3\0" + b"x" * 5000])
def test_a_file_that_is_no_database_gets_one_clear_message(tmp_path, content):
    path = tmp_path / "s.db"
    path.write_bytes(content)
    with pytest.raises(CosearchError, match=r"s\.db"):
        Store(path)
    assert path.read_bytes() == content


def test_a_damaged_file_gets_one_clear_message(store, tmp_path):
    filled(store).close()
    path = tmp_path / "s.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with (
        pytest.raises(CosearchError, match="damaged"),
        Store(path, write=False) as damaged,
    ):
        damaged.trials("first")


def test_a_name_that_is_no_text_any_more_is_damage(tmp_path):
    path = tmp_path / "s.db"
    Store(path).close()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE studies", b"CREATE TABL\xd1 studies"))
    with pytest.raises(CosearchError, match="damaged"):
        Store(path, write=False)


def test_an_empty_file_and_a_directory(tmp_path):
    (tmp_path / "empty.db").touch()
    with pytest.raises(CosearchError, match="holds no studies"):
        Store(tmp_path / "empty.db", write=False)
    Store(tmp_path / "empty.db").close()
    with Store(tmp_path / "empty.db", write=False) as empty:
        assert empty.headers() == []
    with pytest.raises(CosearchError, match="is a directory"):
        Store(tmp_path)
    with pytest.raises(CosearchError, match="cannot be opened"):
        Store(tmp_path / "nowhere" / "s.db")


def test_a_file_that_may_not_be_written(store, tmp_path):
    filled(store)
    with (
        Store(tmp_path / "s.db", write=False) as reader,
        pytest.raises(CosearchError, match="may not be written"),
    ):
        reader.add("first", evolve(TRIALS[1], number=7), "purpose", 1.0)


def test_a_locked_file_gets_one_clear_message(store, tmp_path, monkeypatch):
    monkeypatch.setattr("cosearch.store.schema.WAIT_SECONDS", 0.05)
    filled(store)
    with Store(tmp_path / "s.db") as second:
        store._connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(CosearchError, match="written by another process"):
            second.add("first", evolve(TRIALS[1], number=7), "purpose", 1.0)
        store._connection.execute("ROLLBACK")


def test_many_threads_may_open_a_new_store_at_once(tmp_path):
    errors = []

    def open_it():
        try:
            Store(tmp_path / "new.db").close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_sizes_a_layer_is_run_at_travel(store):
    rounded = evolve(LAYERS[0], sizes=(518, 512), partial=PartialTiles(0.1 + 0.2, 6.0, 1 / 3))
    trial = Trial(1, (), {}, evolve(OK, layers=(rounded, LAYERS[1])))
    store.create(HEADER)
    store.add("first", trial, "purpose", 0.0)
    assert store.trials("first") == [trial]
    found = store.find_mapped("acc", "k1", "purpose")
    assert (found.sizes, found.partial) == (rounded.sizes, rounded.partial)
