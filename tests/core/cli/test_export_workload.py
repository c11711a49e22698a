"""`cosearch export-workload` writes what the reader of the same format reads back."""

import pytest

FORMATS = ("accelforge", "maestro", "scalesim", "zigzag")
SUFFIXES = {"maestro": ".m", "scalesim": ".csv"}


@pytest.mark.parametrize("form", FORMATS)
def test_one_file_comes_back(cosearch, tmp_path, form):
    out = tmp_path / f"net{SUFFIXES.get(form, '.yaml')}"
    written = cosearch("export-workload", "resnet18", "--as", form, "--output", out)
    assert (written.code, written.out) == (0, "")
    assert f"21 layers of resnet18 in {out}" in written.err
    ours = cosearch("show", "workload", "resnet18", "--json").json()
    back = cosearch("show", "workload", out, "--json").json()
    assert back["macs"] == ours["macs"]
    products = [layer["dims"] for layer in ours["layers"] if layer["macs"]]
    assert [layer["dims"] for layer in back["layers"]] == products


def test_a_file_for_each_layer(cosearch, tmp_path):
    out = tmp_path / "new" / "alexnet"
    written = cosearch("export-workload", "alexnet", "--as", "timeloop", "--output", out)
    assert written.code == 0
    assert len(list(out.iterdir())) == 8
    assert cosearch("show", "workload", out).code == 0
    again = cosearch("export-workload", "alexnet", "--as", "timeloop", "--output", out)
    assert again.code == 2
    assert "no empty directory" in again.err


def test_to_standard_output(cosearch):
    written = cosearch("export-workload", "gemm:M=2,N=3,K=4", "--as", "scalesim")
    assert written.out == "Layer, M, N, K,\ngemm, 2, 3, 4,\n"
    both = cosearch("export-workload", "alexnet", "--as", "timeloop").out
    assert both.count("problem:") == 8
    assert both.count("---") == 7


def test_what_is_assumed_is_said(cosearch, tmp_path):
    out = tmp_path / "net.yaml"
    written = cosearch("export-workload", "resnet18", "--as", "zigzag", "--output", out)
    assert "widths that are not known here are assumed" in written.err
    assert "what is done beside them is not" in written.err


def test_mistakes(refused):
    assert "timelop" in refused("export-workload", "resnet18", "--as", "timelop")
    told = refused("export-workload", "conv:K=1,C=1,P=9,Q=9,R=3,S=3,dilation=2", "--as", "scalesim")
    assert "SCALE-Sim knows no dilation" in told
