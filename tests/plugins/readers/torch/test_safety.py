"""What a PyTorch file holds besides tensors and operators is refused, and never executed."""

import io
import json
import os
import pickle
import zipfile

import pytest

from cosearch.errors import InputError
from cosearch_plugins.readers.torch.reader import read_torch
from cosearch_plugins.readers.torch.safety import (
    OPPOSITE,
    TENSORS_ONLY,
    _named,
    refuse_what_runs,
    tensors_only,
)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def archive(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in {"m/models/model.json": "{}", **members}.items():
            file.writestr(name, data)
    return path


CONSTANTS = "m/data/constants/model_constants_config.json"


@pytest.mark.parametrize(
    ("member", "data", "told"),
    [
        ("m/data/aotinductor/model/run.wrapper", b"", "compiled code"),
        ("m/extra/more.so", b"", "compiled code"),
        ("m/data/constants/opaque_obj_0", b"", "pickled object"),
        ("m/data/constants/custom_obj_0", b"", "pickled object"),
        (CONSTANTS, json.dumps({"config": {"a": {"path_name": "opaque_obj_x/../y"}}}), "names a"),
        (CONSTANTS, r'{"a": {"path_name": "\u006fpaque_obj_1"}}', "names a pickled object"),
        (CONSTANTS, "{", "is damaged"),
    ],
)
def test_what_runs_is_refused_before_anything_is_loaded(member, data, told, tmp_path):
    with pytest.raises(InputError, match=told):
        refuse_what_runs(archive(tmp_path / "m.pt2", **{member: data}))


def pickles(protocol):
    """Return a pickle that runs something: alone, after another, in an archive, and cut short."""
    evil = pickle.dumps(Evil(), protocol)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("archive/data.pkl", evil)
    first = pickle.dumps({"version": 1}, 2)
    return {"alone": evil, "after": first + evil, "inside": inner.getvalue(), "cut": evil[:-1]}


CONFIGURATION = "m/data/weights/m_weights_config.JSON"
PICKLED = json.dumps({"config": {"a": {"path_name": "Weight_1", "use_pickle": True}}})


@pytest.mark.parametrize(
    "where", ["sample_inputs/model.pt", "weights/model.pt", "weights/weight_1"]
)
@pytest.mark.parametrize("how", ["alone", "after", "inside", "cut"])
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_names_what_is_not_pytorch_is_refused_without_pytorch(
    where, how, protocol, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    member = {f"m/data/{where}": pickles(protocol)[how], CONFIGURATION: PICKLED}
    with pytest.raises(InputError, match=r"is a pickle that names (posix|nt|something)"):
        refuse_what_runs(archive(tmp_path / "m.pt2", **member))
    assert not (tmp_path / "executed").exists()


def test_what_pytorch_pickles_passes(tmp_path):
    data = b"\x80\x02}(X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n"
    data += b"X\x01\x00\x00\x00bccollections\nOrderedDict\nu."
    assert sorted(_named(data)) == ["collections.OrderedDict", "torch._utils._rebuild_tensor_v2"]
    refuse_what_runs(archive(tmp_path / "m.pt2", **{"m/data/sample_inputs/model.pt": data}))


NAMING = (b"\x80\x02cposix\nmkdir\n.", b"\x80\x3fcposix\nmkdir\n.", b"cposix\nmkdir\n.")


@pytest.mark.parametrize("data", [*NAMING, b"PK\x03\x04", b"PK", b"PK\x03\x04" + b"\x80\x02" * 50])
@pytest.mark.parametrize("member", ["weights/weight_0", "constants/tensor_3"])
def test_tensors_pass_whatever_numbers_they_begin_with(member, data, tmp_path):
    refuse_what_runs(archive(tmp_path / "m.pt2", **{f"m/data/{member}": data}))


@pytest.mark.parametrize("member", ["weights/weight_0.x", "extra/weights_0", "weights/more"])
def test_what_is_no_tensor_by_its_name_is_looked_at_where_it_begins_like_a_pickle(member, tmp_path):
    given = {f"m/data/{member}": NAMING[0]}
    with pytest.raises(InputError, match=r"is a pickle that names posix\.mkdir"):
        refuse_what_runs(archive(tmp_path / "a.pt2", **given))
    for other in NAMING[1:]:
        refuse_what_runs(archive(tmp_path / "b.pt2", **{f"m/data/{member}": other}))


def test_numbers_of_tensors_in_an_archive_of_inputs_pass(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("model/data.pkl", pickle.dumps({"version": 1}, 2))
        file.writestr("model/data/0", NAMING[0])
    given = {"m/data/sample_inputs/model.pt": inner.getvalue()}
    refuse_what_runs(archive(tmp_path / "m.pt2", **given))


def test_weights_of_any_value_are_read_by_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    for start in (0x80, int.from_bytes(b"PK\x03\x04", "little")):
        model = torch.nn.Linear(4, 2, bias=False)
        with torch.no_grad():
            model.weight.view(torch.int32)[0, 0] = start
        torch.export.save(torch.export.export(model, (torch.zeros(1, 4),)), tmp_path / "m.pt2")
        assert read_torch(tmp_path / "m.pt2").macs == 8


def test_tensors_pass_and_the_environment_is_put_back(tmp_path, monkeypatch):
    refuse_what_runs(archive(tmp_path / "m.pt2", **{"m/data/weights/weight_0": b"\x80\x02c"}))
    monkeypatch.setenv(OPPOSITE, "1")
    monkeypatch.delenv(TENSORS_ONLY, raising=False)
    with tensors_only():
        assert os.environ[TENSORS_ONLY] == "1"
        assert OPPOSITE not in os.environ
    assert TENSORS_ONLY not in os.environ
    assert os.environ[OPPOSITE] == "1"


@pytest.mark.parametrize("pickled_as", ["zip", "plain"])
def test_pickles_in_a_program_are_not_executed(pickled_as, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    program = torch.export.export(torch.nn.Linear(4, 2), (torch.zeros(1, 4),))
    torch.export.save(program, "good.pt2")
    buffer = io.BytesIO()
    torch.save(Evil(), buffer, _use_new_zipfile_serialization=pickled_as == "zip")
    with zipfile.ZipFile("good.pt2") as good, zipfile.ZipFile("evil.pt2", "w") as evil:
        for member in good.infolist():
            inputs = "sample_inputs" in member.filename or "example_inputs" in member.filename
            evil.writestr(member, buffer.getvalue() if inputs else good.read(member))
    assert read_torch(tmp_path / "good.pt2").macs == 8
    with pytest.raises(InputError):
        read_torch(tmp_path / "evil.pt2")
    assert not (tmp_path / "executed").exists()
