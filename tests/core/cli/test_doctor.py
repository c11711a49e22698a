import pytest


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_sound_installation(cosearch):
    result = cosearch("doctor")
    assert result.code == 0
    assert "everything works" in result.out
    for word in ("numba", "threading layer", "cache", "store", "strategies"):
        assert word in result.out


def test_a_quarantined_plugin_is_told_with_the_reason_and_exit_code_one(
    distribution, cosearch, monkeypatch
):
    distribution("acme", "import no_such_module")
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    result = cosearch("doctor", "--json")
    assert result.code == 1
    broken = [
        f
        for found in result.json().values()
        if found
        for f in _list(found)
        if f["state"] == "broken"
    ]
    assert [f["text"] for f in broken] == [
        "acme 1.0: ModuleNotFoundError: No module named 'no_such_module'"
    ]


def test_a_registration_that_cannot_be_imported_is_found(distribution, cosearch, monkeypatch):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import Registration, hookimpl

        @hookimpl
        def cosearch_mappers():
            return [Registration("lost", "MODULE:Lost")]
        """,
    )
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    result = cosearch("doctor")
    assert result.code == 1
    assert "plugin 'lost' of acme 1.0 cannot be imported" in result.out


def test_a_file_that_is_no_store_is_broken(cosearch, tmp_path):
    (tmp_path / "cosearch.db").write_text("this is a letter, not a database" * 100)
    result = cosearch("doctor")
    assert result.code == 1
    assert "cosearch.db" in result.out


def _list(found):
    return found if isinstance(found, list) else []


def test_a_damaged_store_is_named_and_what_is_whole_is_saved(cosearch, tmp_path, monkeypatch):
    import sqlite3
    from contextlib import closing

    monkeypatch.chdir(tmp_path)
    named = ("-H", "eyeriss", "-s", "random", "-m", "random", "--trials", "2")
    assert cosearch("run", "gemm:M=8,N=8,K=8", *named, "--study", "s").code == 0
    with closing(sqlite3.connect("cosearch.db")) as connection, connection:
        connection.execute("UPDATE trials SET losses = '[1.0]' WHERE number = 1")
    found = cosearch("doctor", "--store", "cosearch.db")
    assert found.code == 1
    assert "trial 1 of the study 's' is damaged" in found.out.replace("\n", " ")
    shown = cosearch("export", "s")
    assert shown.code == 2
    assert "trial 1 of the study 's' is damaged: its checksum differs" in shown.err
    saved = cosearch("doctor", "--store", "cosearch.db", "--repair", "new.db", "--json")
    assert (saved.json()["studies"], saved.json()["trials"]) == (1, 2)
    assert cosearch("export", "s", "--store", "new.db").code == 0
