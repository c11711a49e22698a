"""What the tools of `.ci/run` pass over, and what they fail on."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def tool(name):
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def audit():
    return tool("audit")


@pytest.fixture(scope="module")
def pythons():
    return tool("pythons")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("error: Failed to fetch: `https://pypi.org/simple/attrs/`\n  Caused by: dns error\n", 0),
        ("error: Request failed\n  Caused by: operation timed out\n", 0),
        ("  x No solution found when resolving dependencies:\n  because numba>=9 is needed\n", 1),
        ("  x No solution found: because networkx was not found\n", 1),
        ("error: Failed to parse: `pyproject.toml`\n", 1),
        ("", 1),
    ],
)
def test_only_an_index_out_of_reach_is_passed_over(audit, capsys, message, code):
    assert audit.unresolved(message) == code
    last = (message.strip().splitlines() or ["uv said nothing"])[-1].strip()
    assert last in capsys.readouterr().out


def test_the_audit_makes_its_folder(audit, tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "ROOT", str(tmp_path))
    assert audit.advised("/bin/true", "attrs==25.1.0\n") == 0
    assert (tmp_path / ".tools" / "pinned.txt").read_text() == "attrs==25.1.0\n"


def test_lowest_dependencies_are_for_the_oldest_python_alone(pythons):
    oldest, middle, newest = pythons.OLDEST, (3, 12), (3, 13)
    lowest, highest = (oldest, "lowest"), (newest, "highest")
    assert pythons.chosen([oldest, middle, newest], False, False) == [lowest, highest]
    smoked = pythons.chosen([oldest, middle, newest], True, False)
    assert smoked == [lowest, highest, (middle, "highest")]
    every = pythons.chosen([oldest, newest], False, True)
    assert every == [lowest, highest, (oldest, "highest")]
    assert pythons.chosen([oldest], True, False) == [lowest]
    for flags in ((True, False), (False, True)):  # nothing is lost where the oldest is not there
        assert pythons.chosen([middle, newest], *flags) == [highest, (middle, "highest")]


def test_without_uv_there_is_nothing_to_run(pythons, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pythons, "uv", lambda: str(tmp_path / "uv"))
    assert pythons.main(["--smoke"]) == 0
    assert capsys.readouterr().out == "skipped: there is no uv to make environments with\n"


def test_documents_part_where_they_differ_clocks_apart(pythons):
    one = {"trials": [{"loss": 1.5, "seconds": 1.0}, {"loss": 2.0}], "begun": "today"}
    other = {"trials": [{"loss": 1.5, "seconds": 2.0}, {"loss": 2.5}], "begun": "tomorrow"}
    assert list(pythons.parting(one, other, "study")) == ["study/trials/1/loss: 2.0, 2.5"]
    other["trials"].pop()
    assert len(list(pythons.parting(one, other, "study"))) == 1
