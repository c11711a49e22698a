"""Reading Timeloop's figures."""

import gzip
import json
from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch_plugins.references.timeloop import Timeloop, rejection

DATA = Path(__file__).parents[2] / "data" / "timeloop"


def lines(name):
    return gzip.decompress((DATA / name).read_bytes()).decode().splitlines()


@pytest.fixture
def folder(tmp_path):
    """Return a directory with the architectures and three tiny points."""
    (tmp_path / "archs.json").write_text("".join(lines("archs.json.gz")))
    (tmp_path / "points_few.jsonl").write_text("\n".join(lines("points_micro.jsonl.gz")[:3]) + "\n")
    return tmp_path


def test_a_directory_may_hold_some_of_the_files(folder):
    (section,) = Timeloop().read(folder)
    assert (len(section.points), section.report().agreed) == (3, True)


def test_one_file_stands_beside_its_architectures(folder):
    (section,) = Timeloop().read(folder / "points_few.jsonl")
    assert len(section.points) == 3


def test_a_changed_figure_is_found(folder):
    file = folder / "points_few.jsonl"
    record = json.loads(file.read_text().splitlines()[1])
    record["result"]["levels"]["buf"]["tensors"]["Inputs"]["fills"] += 1
    record["result"]["energy_pj"] *= 1 + 1e-7
    file.write_text(json.dumps(record))
    (section,) = Timeloop().read(folder)
    (only,) = section.report().differing
    assert [d.name for d in only.differences] == ["energy_pj", "buf/Inputs/fills"]
    assert only.source.endswith("points_few.jsonl:1")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("points_few.jsonl", '{"id": 1,', "points_few.jsonl:1: is not JSON"),
        ("points_few.jsonl", "[1]", "points_few.jsonl:1: is not a JSON object"),
        ("points_few.jsonl", '{"id": "x"}', "points_few.jsonl:1: has no 'arch'"),
        ("points_few.jsonl", "", "holds no points"),
        ("archs.json", "{}", "no architecture 'micro2'"),
        ("archs.json", '{"a": {"levels": []}}', "archs.json: a: has no 'arithmetic'"),
        ("archs.json", "{", "archs.json:1: is not JSON"),
    ],
)
def test_a_fault_in_a_file_names_the_place(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=message):
        Timeloop().read(folder)


def test_a_factor_of_groups_that_are_not_there(folder):
    record = json.loads((folder / "points_few.jsonl").read_text().splitlines()[0])
    record["mapping"][1]["temporal"] = [["G", 2]]
    reason = "parsing mapping: product of all factors of dimension G is 2, which is not equal to"
    record |= {"valid": False, "reason": reason}
    (folder / "points_few.jsonl").write_text(json.dumps(record))
    (section,) = Timeloop().read(folder)
    assert section.report().summary["invalid_agreed"] == 1


def test_a_mapping_of_another_machine(folder):
    file = folder / "points_few.jsonl"
    file.write_text(file.read_text().replace('"level":"buf"', '"level":"buffer"'))
    with pytest.raises(InputError, match=r"points_few.jsonl:1: the mapping describes the levels"):
        Timeloop().read(folder)


def test_a_missing_directory_and_an_empty_one(tmp_path):
    with pytest.raises(InputError, match="no such directory"):
        Timeloop().read(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"holds no points"):
        Timeloop().read(tmp_path)
    (tmp_path / "points_x.jsonl").write_text("{}")
    with pytest.raises(InputError, match="no such file"):
        Timeloop().read(tmp_path)


def test_an_unknown_message_is_its_own_reason():
    assert rejection("couldn't map level buf: mapped tile size 3 exceeds").reason.endswith("buf")
    assert rejection("out of cheese").reason == "out of cheese"
