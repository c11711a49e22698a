import pytest
from attrs import evolve

from cosearch.errors import InputError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.mix import PartCost, cost_of_parts, cut_mix, geomean_edp, mixed
from cosearch.workload.network import Layer, Network, Part, Unmodelled
from cosearch.workload.source import resolve

SMALL = conv(K=4, C=4, P=4, Q=4, R=1, S=1)


@pytest.fixture(scope="module")
def registry():
    return load_registry(third_party=False)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("resnet18", []),
        ("net.onnx:batch=1", []),
        ("resnet18*2+bert-base", [("resnet18", 2), ("bert-base", 1)]),
        (" a:batch=4:fc * 3 + b ", [("a:batch=4:fc", 3), ("b", 1)]),
        ("resnet18*12", [("resnet18", 12)]),
    ],
)
def test_a_mix_is_cut_at_its_plus_signs(text, parts):
    assert cut_mix(text) == parts


@pytest.mark.parametrize("text", ["a+", "+a", "a++b", "a*0+b", "a*-1+b", "a*x", "a*2.5+b", "*2"])
def test_a_part_without_a_name_or_with_an_odd_weight_is_refused(text):
    with pytest.raises(InputError, match=r"for example|names no workload|is not how often"):
        cut_mix(text)


def test_layers_run_as_often_as_their_networks_and_bear_their_names():
    left_out = Unmodelled("softmax", "Softmax", 7, "cheap")
    one = Network("one", (Layer(SMALL, 3), Layer(gemm(M=2, N=2, K=2))), (left_out,), "a", 10)
    other = Network("other", (Layer(SMALL, 5),), source="b", parameters=1)
    mix = mixed([Part("one.yaml", 2, one), Part("other", 1, other)])
    assert mix.name == "2 one + other"
    assert [layer.name for layer in mix.layers] == ["one/conv", "one/gemm", "other/conv"]
    assert [layer.count for layer in mix.layers] == [6, 2, 5]
    assert [layer.count for layer in mix.unique] == [11, 2]
    assert mix.macs == 2 * one.macs + other.macs
    assert (mix.unmodelled[0].name, mix.unmodelled[0].operations) == ("one/softmax", 14)
    assert (mix.parameters, mix.source) == (11, "a; b")
    assert mix.layer("other/conv").count == 5


def test_networks_of_one_name_are_called_by_their_texts():
    one = Network("net", (Layer(SMALL),))
    mix = mixed([Part("net:batch=1", 1, one), Part("net:batch=2", 1, one)])
    assert [part.name for part in mix.parts] == ["net:batch=1", "net:batch=2"]


def test_a_part_that_is_there_twice_is_refused():
    one = Part("net", 1, Network("net", (Layer(SMALL),)))
    with pytest.raises(InputError, match="'net' is there twice"):
        mixed([one, one])


def test_each_part_costs_what_it_costs_alone():
    one = Network("one", (Layer(SMALL, 3), Layer(gemm(M=2, N=2, K=2))))
    other = Network("other", (Layer(SMALL, 5),))
    mix = mixed([Part("one", 2, one), Part("other", 1, other)])
    costs = {SMALL.key: (10.0, 2.0), gemm(M=2, N=2, K=2).key: (1.0, 7.0)}
    first, second = cost_of_parts(mix, costs)
    assert (first.energy_pj, first.cycles, first.edp) == (31.0, 13.0, 403.0)
    assert (second.energy_pj, second.cycles, second.weight) == (50.0, 10.0, 1)
    assert cost_of_parts(one, costs) == ()


def test_the_mean_edp_weighs_networks_by_their_runs_and_not_by_their_size():
    costs = [PartCost("a", 2, 0, 0, 100.0), PartCost("b", 1, 0, 0, 1e6)]
    assert geomean_edp(costs) == pytest.approx((100.0 * 100.0 * 1e6) ** (1 / 3))
    halves = [[evolve(c, edp=c.edp / 2) if c.name == n else c for c in costs] for n in "ab"]
    gains = [geomean_edp(costs) / geomean_edp(h) for h in halves]
    assert gains == pytest.approx([2 ** (2 / 3), 2 ** (1 / 3)])


def test_names_files_and_options_mix(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a+b.yaml").write_text(
        "version: 1\nname: file\nlayers:\n  - conv: {K: 4, C: 4, P: 4, Q: 4}\n    name: c\n"
    )
    assert resolve("a+b.yaml", registry).parts == ()
    (tmp_path / "net.yaml").write_text((tmp_path / "a+b.yaml").read_text())
    mix = resolve("net.yaml*2+resnet18:batch=4:fc", registry)
    assert [layer.name for layer in mix.layers] == ["file/c", "resnet18:fc/fc"]
    assert mix.layers[0].count == 2


@pytest.mark.parametrize(
    ("text", "part", "hint"),
    [
        ("resnt18*2+bert-base", "resnt18", "resnet18"),
        ("bert-base+resnet18:conx", "resnet18:conx", "conv1"),
        ("bert-base+resnet18:bach=2", "resnet18:bach=2", ""),
        ("bert-base+missing.onnx", "missing.onnx", ""),
    ],
)
def test_what_is_wrong_in_a_part_names_the_part(registry, text, part, hint):
    with pytest.raises(InputError) as caught:
        resolve(text, registry)
    assert f"part {part!r} of the mix" in str(caught.value)
    assert hint in caught.value.hint
