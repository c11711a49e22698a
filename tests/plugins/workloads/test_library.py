"""Options, layers and structure of the library, beside the published totals."""

from __future__ import annotations

import csv
import inspect
from importlib import resources

import pytest

from cosearch.errors import CosearchError, InputError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.source import resolve
from cosearch.workload.text import describe
from cosearch_plugins.workloads.inverted_residual import divisible

REGISTRY = load_registry(third_party=False)
NAMES = REGISTRY.names("workloads")


def words(spec: str) -> list[str]:
    return [describe(layer.einsum) for layer in resolve(spec, REGISTRY).layers]


@pytest.mark.parametrize("name", NAMES)
def test_options_are_the_constructors_with_the_same_defaults(name: str) -> None:
    target = REGISTRY.entries["workloads"][name].load()
    defaults = target.options.defaults
    parameters = dict(inspect.signature(target).parameters)
    assert set(parameters) == set(defaults)
    for option, parameter in parameters.items():
        assert parameter.default in (defaults[option], None)


@pytest.mark.parametrize("name", NAMES)
def test_layer_names_are_unique_and_every_network_has_a_source(name: str) -> None:
    network = resolve(name, REGISTRY)
    names = [layer.name for layer in network.layers]
    assert len(set(names)) == len(names)
    assert network.source or name in ("conv", "gemm")


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("conv", "gemm")])
def test_the_batch_multiplies_the_work(name: str) -> None:
    assert resolve(f"{name}:batch=3", REGISTRY).macs == 3 * resolve(name, REGISTRY).macs


def test_the_image_size_scales_the_work() -> None:
    small, large = (resolve(f"vgg16:image={n}", REGISTRY) for n in (32, 224))
    assert small.layers[0].einsum.macs * 49 == large.layers[0].einsum.macs
    assert small.layer("fc6").einsum.bounds["C"] == 512


@pytest.mark.parametrize(
    ("spec", "told"),
    [("unet:image=100", "only 2 pixels are left"), ("alexnet:image=20", "pixels are left")],
)
def test_an_image_too_small_is_explained(spec: str, told: str) -> None:
    with pytest.raises(CosearchError) as caught:
        resolve(spec, REGISTRY)
    assert told in str(caught.value)
    assert caught.value.hint == "use a larger image"


@pytest.mark.parametrize("size", ["0", "-1", "1.5", "x", "99999999999"])
@pytest.mark.parametrize("spec", ["conv:K", "conv:stride", "gemm:M", "resnet18:batch"])
def test_sizes_that_are_no_sizes(spec: str, size: str) -> None:
    with pytest.raises(InputError, match="is not a whole number from 1 to"):
        resolve(f"{spec}={size}", REGISTRY)


def test_single_layers_take_every_dimension() -> None:
    spec = "conv:K=8,C=4,P=10,Q=12,R=3,S=5,N=2,G=3,stride=2,dilation=3"
    assert words(spec) == ["5x3 conv, 12 to 24 in 3 groups, 12x10, stride 2, dilation 3, batch 2"]
    assert words("gemm:M=2,N=3,K=4,B=5") == ["5 matrix products, 2x4 by 4x3"]


def test_layers_of_the_codesign_paper() -> None:
    """arXiv 2010.02075: (P, C=K) of ResNet; filter, channels, output, stride of DQN."""
    assert words("shi2020-resnet") == [
        "3x3 conv, 64 to 64, 56x56",
        "3x3 conv, 128 to 128, 28x28",
        "3x3 conv, 256 to 256, 14x14",
        "3x3 conv, 512 to 512, 7x7",
    ]
    assert words("shi2020-dqn") == [
        "8x8 conv, 4 to 16, 20x20, stride 4",
        "4x4 conv, 16 to 32, 9x9, stride 2",
    ]
    assert words("shi2020-mlp") == ["fully connected, 512 to 512", "fully connected, 64 to 1024"]
    assert words("shi2020-transformer:sequence=32") == [
        "fully connected, 512 to 512, 32 tokens",
        "8 matrix products, 32x64 by 64x32",
        "fully connected, 512 to 2048, 32 tokens",
        "fully connected, 2048 to 512, 32 tokens",
    ]
    assert resolve("shi2020-resnet:ResNet-K3", REGISTRY).macs == 115_605_504


@pytest.mark.parametrize("name", ["bert", "resnet50", "retinanet", "unet"])
def test_dosas_layers_have_the_macs_of_its_table(name: str) -> None:
    table = resources.files("cosearch_plugins.workloads") / "data" / "dosa" / f"{name}.csv"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    network = resolve(f"dosa-{name}", REGISTRY)
    assert [(la.name, la.count, la.einsum.macs) for la in network.layers] == [
        (row["layer"], int(row["count"]), int(row["macs"])) for row in rows
    ]


@pytest.mark.parametrize("model", ["llama2-7b", "llama3-8b", "tinyllama-1.1b"])
def test_a_decoded_token_costs_its_weights_and_its_context(model: str) -> None:
    """Kaplan et al. 2020, equation 2.2: a MAC for every weight a token passes, and two products
    of the context for every layer and channel of the queries."""
    network = resolve(f"llama:model={model},phase=decode,sequence=1000", REGISTRY)
    weights = sum(
        la.einsum.words(la.einsum.tensors[0])
        for la in network.products
        if "G" not in la.einsum.dims
    )
    queries = [la.einsum for la in network.layers if la.name.endswith("query")]
    assert network.macs == weights + sum(2 * 1000 * e.bounds["K"] for e in queries)
    norms, embedding = (2 * len(queries) + 1) * queries[0].bounds["C"], network.layers[-1].einsum
    assert network.parameters == weights + norms + embedding.bounds["K"] * embedding.bounds["C"]


def test_prefill_scores_the_last_token_or_all() -> None:
    last, every = (
        resolve(f"llama:sequence=64,logits={which}", REGISTRY) for which in ("last", "all")
    )
    assert every.macs - last.macs == 63 * 4096 * 32_000


@pytest.mark.parametrize(
    ("channels", "rounded"), [(32 * 0.35, 16), (24 * 0.75, 24), (96 * 0.35, 32), (10, 16), (12, 16)]
)
def test_channels_are_rounded_as_mobilenets_code_does(channels: float, rounded: int) -> None:
    assert divisible(channels) == rounded
