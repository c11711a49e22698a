"""What is written for another tool is read back as the same layers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import InputError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.einsum import ROLES, conv, gemm
from cosearch.workload.language import parse_einsum
from cosearch.workload.network import Layer, Network
from cosearch.workload.source import read, resolve
from cosearch.workload.writer import products_alone

REGISTRY = load_registry(third_party=False)
FORMATS = ("accelforge", "maestro", "scalesim", "timeloop", "zigzag")
SIZE = st.integers(1, 9)


def again(network: Network, form: str, folder: Path) -> Network:
    """Write a network and read it back."""
    written = REGISTRY.find("workload_writers", form).make().write(network)
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, text in written.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    names = list(written.files)
    return read(folder / names[0] if len(names) == 1 else folder, REGISTRY)


def counts(network: Network) -> dict:
    return {layer.einsum: layer.count for layer in network.unique}


@st.composite
def convolutions(draw):
    stride = draw(st.integers(1, 3))
    sizes = {dim: draw(SIZE) for dim in "KCPQRS"}
    layer = conv("layer", **sizes, stride=(stride, stride))
    bits = st.one_of(st.none(), st.sampled_from([2, 4, 8, 16]))
    return layer.with_bits({role: draw(bits) for role in ROLES})


@pytest.mark.parametrize("form", ["accelforge", "maestro", "scalesim", "zigzag"])
@settings(max_examples=40, deadline=None)
@given(layers=st.lists(convolutions(), min_size=1, max_size=4), count=st.integers(1, 3))
def test_convolutions_come_back(form: str, layers, count: int, tmp_path_factory) -> None:
    folder = tmp_path_factory.getbasetemp() / f"again-{form}"
    network = Network("net", tuple(Layer(layer, count) for layer in layers))
    back = again(network, form, folder)
    assert back.macs == network.macs
    if all(_strides_matter(layer) for layer in layers):
        usual = ASSUMED.get(form)
        if usual is None:
            back, wanted = (
                with_bits(back, dict.fromkeys(ROLES)),
                counts(with_bits(network, dict.fromkeys(ROLES))),
            )
        else:
            wanted = counts(with_bits(network, usual, missing=True))
        assert counts(back) == wanted


ASSUMED = {
    "accelforge": dict.fromkeys(ROLES, 8),
    "zigzag": {"Weights": 8, "Inputs": 8, "Outputs": 16},
}
"""What formats that state every width take for one that is not known; the others state none."""


def with_bits(network: Network, bits, *, missing: bool = False) -> Network:
    """Return a network of other widths, or with these where none is stated."""

    def of(einsum):
        stated = {t.role: t.bits for t in einsum.tensors if missing and t.bits is not None}
        return einsum.with_bits({**bits, **stated})

    layers = tuple(Layer(of(layer.einsum), layer.count) for layer in network.layers)
    return Network(network.name, layers)


def _strides_matter(layer) -> bool:
    """Return whether a layer is told apart from one of another stride by its sizes."""
    return all(layer.bounds[dim] > 1 for dim in "PQ")


@st.composite
def einsums(draw):
    """Draw a product of two tensors with sums of dimensions as the indices of one."""
    sizes = {dim: draw(SIZE) for dim in "abcdpqrs"}
    factors = [draw(st.integers(1, 4)) for _ in range(4)]
    text = (
        f"Z[a,b,p,q] += W[b,c,r,s] * X[a,c,{factors[0]}*p+{factors[1]}*r,"
        f"{factors[2]}*q+{factors[3]}*s,d] "
    )
    return parse_einsum(text, sizes, name="layer")


@settings(max_examples=60, deadline=None)
@given(layers=st.lists(st.one_of(einsums(), convolutions()), min_size=1, max_size=3))
def test_timeloop_keeps_every_einsum(layers, tmp_path_factory) -> None:
    """Names of tensors apart: Timeloop's reader tells roles by them."""
    folder = tmp_path_factory.getbasetemp() / "again-timeloop"
    back = again(Network("net", tuple(map(Layer, layers))), "timeloop", folder)
    unique = Network("net", tuple(map(Layer, layers))).unique
    assert len(back.layers) == len(unique)
    shapes = [_shape(layer.einsum) for layer in unique]
    assert sorted(map(repr, (_shape(layer.einsum) for layer in back.layers))) == sorted(
        map(repr, shapes)
    )


def _shape(einsum):
    return einsum.dims, einsum.sizes, [(t.role, t.axes, t.bits) for t in einsum.tensors]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenetv2", "bert-base:sequence=16", "gemm:M=3,N=4,K=5"]
)
def test_networks_keep_their_products(form: str, name: str, tmp_path: Path) -> None:
    network = products_alone(resolve(name, REGISTRY))
    back = again(network, form, tmp_path / "net")
    expected = network.macs
    if form == "timeloop":  # has no repeats: a file for each different layer
        expected = sum(layer.einsum.macs for layer in network.unique)
    assert back.macs == expected


def test_products_are_products(tmp_path: Path) -> None:
    network = Network("net", (Layer(gemm("g", M=5, N=6, K=7, B=3), 2),))
    back = again(network, "scalesim", tmp_path / "net")
    assert counts(back) == {gemm("g", M=5, N=6, K=7): 6}


@pytest.mark.parametrize(
    ("form", "layer", "told"),
    [
        ("scalesim", conv("c", K=1, C=1, P=4, Q=4, R=3, S=3, dilation=(2, 2)), "no dilation"),
        ("scalesim", conv("c", K=1, C=1, P=4, Q=4, stride=(1, 2)), "one stride for both axes"),
        ("maestro", conv("c", K=1, C=1, P=4, Q=4, R=3, S=3, dilation=(2, 2)), "no dilation"),
        (
            "scalesim",
            parse_einsum("Z[a,b] += W[a,b,c] * X[c,a,a]", {"a": 2, "b": 3, "c": 4}, name="c"),
            "neither a convolution nor a matrix product",
        ),
    ],
)
def test_what_a_format_cannot_say_is_refused_by_name(form: str, layer, told: str) -> None:
    writer = REGISTRY.find("workload_writers", form).make()
    with pytest.raises(InputError) as caught:
        writer.write(Network("net", (Layer(layer),)))
    assert "c: " in str(caught.value)
    assert told in str(caught.value)


def test_a_depthwise_layer_is_one_of_scale_sims(tmp_path: Path) -> None:
    layer = conv("deep", G=8, K=1, C=1, P=5, Q=5, R=3, S=3)
    network = Network("net", (Layer(layer), Layer(conv("ADP", K=2, C=3, P=1, Q=1))))
    back = again(network, "scalesim", tmp_path / "net")
    assert counts(back) == counts(network)
    assert math.prod(layer.sizes) == back.layers[0].einsum.macs
