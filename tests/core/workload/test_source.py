from __future__ import annotations

from pathlib import Path

import pluggy
import pytest
from attrs import evolve

from cosearch.errors import CosearchError, InputError, PluginError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.hooks.hookspecs import Hooks
from cosearch.registry.registration import PROJECT, Registration, hookimpl
from cosearch.registry.registry import Registered, Registry
from cosearch.workload.network import Layer, Network, Workload
from cosearch.workload.source import read, resolve

REGISTRY = load_registry(third_party=False)
TINY = "version: 1\ngemm: {M: 2, N: 3, K: 4}\nname: product\n"


def registry_with(reader: object) -> Registry:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(reader)
    return evolve(REGISTRY, manager=manager)


class Broken(Workload):
    def network(self) -> Network:
        raise ZeroDivisionError("division by zero")


def test_a_name() -> None:
    assert resolve("resnet18", REGISTRY).name == "resnet18"


def test_options_and_a_layer_follow_a_name() -> None:
    assert resolve(" resnet18:batch=4 ", REGISTRY).layers[0].einsum.bounds["N"] == 4
    (layer,) = resolve("resnet18:layer1.0.conv1", REGISTRY).layers
    assert layer.name == "layer1.0.conv1"
    (layer,) = resolve("resnet18:batch=2:fc", REGISTRY).layers
    assert (layer.name, layer.einsum.bounds["N"]) == ("fc", 2)


def test_an_einsum_with_its_sizes() -> None:
    network = resolve("O[m,n] += A[m,k]*B[k,n] ; m=512,n=256,k=128", REGISTRY)
    assert network.macs == 512 * 256 * 128


def test_a_path_and_a_layer_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    assert resolve("net.yaml", REGISTRY).macs == 24
    assert resolve("net.yaml:product", REGISTRY).layers[0].name == "product"
    assert resolve(str(tmp_path / "net.yaml"), REGISTRY).macs == 24


def test_a_path_with_colons_and_layers_with_slashes(tmp_path: Path) -> None:
    path = tmp_path / "a:b.yaml"
    path.write_text("version: 1\nlayers: [{name: /x/y:z, gemm: {M: 1, N: 1, K: 7}}]\n")
    assert resolve(f"{path}:/x/y:z", REGISTRY).macs == 7


def test_a_name_goes_before_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conv").mkdir()
    (tmp_path / "conv" / "one.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    assert resolve("conv:K=2", REGISTRY).name == "conv"
    assert resolve("./conv", REGISTRY).macs == 24


def test_sizes_behind_a_path_reach_the_reader(tmp_path: Path) -> None:
    class Reader:
        @hookimpl
        def cosearch_read_workload(self, path, sizes):
            layer = Layer(resolve("gemm", REGISTRY).layers[0].einsum, sizes["batch"])
            return Network(path.name, (layer,))

    path = tmp_path / "net.odd"
    path.touch()
    network = resolve(f"{path}:batch=3,x.0=2:gemm", registry_with(Reader()))
    assert network.layers[0].count == 3
    with pytest.raises(InputError, match="batch=0 is not at least 1"):
        resolve(f"{path}:batch=0", registry_with(Reader()))


@pytest.mark.parametrize(
    ("spec", "told", "hint"),
    [
        ("resnt18", "no workload 'resnt18'", "did you mean 'resnet18'"),
        ("resnet18:bach=4", "no parameter 'bach'", "did you mean 'batch'?"),
        ("resnet18:batch=0", "batch=0: is not a whole number from 1", ""),
        ("resnet18:batch=x", "batch=x: is not", ""),
        ("resnet18:conv9", "no layer of resnet18 'conv9'", "did you mean 'conv1'?"),
        ("", "the name is empty", "cosearch list workloads"),
        ("./nett.yaml", "no such file or directory", "did you mean 'net.yaml'?"),
        ("nett.yaml:layer", "no such file or directory", "did you mean 'net.yaml'?"),
        ("no/where.onnx", "there is no directory 'no'", ""),
        ("nasbench201", "is a space of networks", "cosearch list workloads"),
        ("notes.txt", "no reader knows this kind of file", ".onnx"),
        ("empty", "no reader knows this kind of directory", ".onnx"),
        ("O[m] += A[m]", "has 1 operand", "for example"),
    ],
)
def test_what_cannot_be_resolved(
    spec: str, told: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.yaml").write_text(TINY)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, UnknownNameError)) as caught:
        resolve(spec, REGISTRY)
    assert told in str(caught.value)
    assert hint in caught.value.hint


def test_a_workload_that_breaks_down_is_named() -> None:
    entry = Registered(Registration("broken", Broken), "toy 1.0")
    workloads = {**REGISTRY.entries["workloads"], "broken": entry}
    registry = evolve(REGISTRY, entries={**REGISTRY.entries, "workloads": workloads})
    with pytest.raises(PluginError, match=r"'Broken' of \S+ raised ZeroDivisionError in network"):
        resolve("broken", registry)


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ("text", PluginError, "the reader gave 'text', no Network"),
        (Network("n", ()), InputError, "holds no layer"),
        (TypeError("bad"), PluginError, "the reader failed: TypeError: bad"),
        (InputError("f", ["x"]), InputError, "f: x"),
    ],
)
def test_a_reader_that_breaks_its_contract(
    answer: object, kind: type[CosearchError], told: str, tmp_path: Path
) -> None:
    class Reader:
        @hookimpl
        def cosearch_read_workload(self):
            if isinstance(answer, Exception):
                raise answer
            return answer

    with pytest.raises(kind, match=told):
        read(tmp_path, registry_with(Reader()))
