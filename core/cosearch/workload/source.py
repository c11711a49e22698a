"""From what a user writes for a workload to the network: a name, a path or an einsum.

    resnet18                       a name
    resnet18:batch=4               with options
    resnet18:layer1.0.conv1        one layer of it
    resnet18:batch=4:conv1         both
    net.onnx, layers/              a file or a directory, by whichever reader knows it
    net.onnx:/features/0/Conv      one layer of it
    net.onnx:batch=1,seq=128       with sizes for dimensions that the file leaves open
    O[m,n] += A[m,k]*B[k,n] ; m=512,n=512,k=512     an einsum with its sizes
    resnet18*2+bert-base           several at once, see `cosearch.workload.mix`

A name goes before a file of the same name; `./name` is always the file.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, field, frozen

from cosearch.errors import (
    CosearchError,
    InputError,
    PluginError,
    UnknownNameError,
    expanded,
    near_names,
    pass_on,
    text_of,
)
from cosearch.registry.registry import Registry
from cosearch.workload.language import is_einsum, parse_sized_einsum
from cosearch.workload.mix import cut_mix, mixed
from cosearch.workload.network import Layer, Network, Part, Workload, no_network

SUFFIXES = (".onnx", ".yaml", ".yml", ".json", ".pt2", ".csv", ".pb", ".pt", ".pth")
"""What makes a text a path even where no such file exists."""


@frozen
class _Parts:
    """A spec cut up: what makes the network, the layer asked for, and sizes for a file."""

    source: str
    layer: str | None = None
    sizes: Mapping[str, int] = field(factory=dict)


MOST = 5
"""Reasons that are given for a file without a layer."""


def resolve(spec: str, registry: Registry) -> Network:
    """Return the network that a text names; with a layer, the network of that layer alone.

    Args:
        spec: a name, a path or an einsum, as the module describes.
        registry: of plugins; its workloads give the names, its readers read the files.

    Raises:
        UnknownNameError: no workload, or no layer, of that name; near ones are suggested.
        InputError: an option, a file or an einsum that cannot be understood.
        PluginError: a workload or a reader broke down.
    """
    text = spec.strip()
    if not text:
        raise InputError("workload", ["the name is empty"], "see: cosearch list workloads")
    if is_einsum(text):
        einsum = parse_sized_einsum(text)
        return Network(einsum.name, (Layer(einsum),), source=text)
    parts = () if _exists(text) else cut_mix(text)
    if parts:
        return mixed([Part(name, weight, _part(name, registry)) for name, weight in parts])
    return _one(text, registry)


def _part(text: str, registry: Registry) -> Network:
    """Return a part of a mix; errors name it."""
    try:
        return _one(text, registry)
    except (InputError, UnknownNameError) as error:
        raise InputError(f"part {text!r} of the mix", [str(error)], error.hint) from error


def _one(text: str, registry: Registry) -> Network:
    if text.partition(":")[0].strip() in registry.entries["workloads"]:
        parts = _cut_name(text)
        network = _made(parts.source, registry)
    else:
        parts = _cut_path(text, registry)
        network = read(expanded(parts.source), registry, parts.sizes)
    return network if parts.layer is None else _only(network, parts.layer)


def read(path: Path, registry: Registry, sizes: Mapping[str, int] | None = None) -> Network:
    """Return the network in an existing file or directory, by the first reader that knows it.

    Args:
        path: what to read.
        registry: of plugins.
        sizes: for dimensions that the file leaves open, by name.
    """
    try:
        with _building():
            network = registry.manager.hook.cosearch_read_workload(path=path, sizes=sizes or {})
    except (CosearchError, OSError, MemoryError):
        raise
    except BaseException as error:
        pass_on(error)
        raise PluginError(
            f"{path}: the reader failed: {type(error).__name__}: {text_of(error)}"
        ) from error
    if network is None:
        raise InputError(
            str(path),
            ["no reader knows this kind of " + ("directory" if path.is_dir() else "file")],
            "workload files are .onnx, .pt2 (torch.export), .yaml, or a directory of layers",
        )
    if isinstance(network, Network) and network.layers == ():
        reasons = {f"{x.kind}: {x.reason}": None for x in network.unmodelled}
        raise InputError(str(path), ["holds no layer that can be mapped", *list(reasons)[:MOST]])
    if wrong := no_network(network):
        raise PluginError(f"{path}: the reader {wrong}")
    whole: Network = network
    return whole


SELDOM = 50_000
"""Objects made between two looks of the garbage collector while a file is read."""


@contextmanager
def _building() -> Iterator[None]:
    """Have Python's garbage collector look less often at the many objects of a large file.

    Not for longer: what searches leave in circles holds tables, which are to go soon.
    """
    usual = gc.get_threshold()
    gc.set_threshold(max(usual[0], SELDOM), *usual[1:])
    try:
        yield
    finally:
        if usual[0] < SELDOM:  # else another thread reads too, and sees to it
            gc.set_threshold(*usual)


def _made(source: str, registry: Registry) -> Network:
    workload: Workload = registry.made("workloads", source)
    return workload.network()


def _cut_name(text: str) -> _Parts:
    """Cut `name[:options][:layer]`: options are what has an equals sign."""
    name, _, tail = text.partition(":")
    head, _, rest = tail.partition(":")
    if "=" in head:
        return _Parts(f"{name}:{head}", rest or None)
    return _Parts(name, tail or None)


def _cut_path(text: str, registry: Registry) -> _Parts:
    """Cut `path[:layer]` at the longest path that exists, or say what is near."""
    head = _longest_path(text)
    if head:
        return _cut_tail(head, text[len(head) + 1 :])
    raise _unknown(text, registry)


def _exists(text: str) -> bool:
    """Return whether a text with plus signs or asterisks is a path all the same."""
    return bool(_longest_path(text))


def _longest_path(text: str) -> str:
    """Return the longest head before a colon, or all, that is an existing path; empty for none."""
    cut = len(text)
    while cut > 0:
        if expanded(text[:cut]).exists():
            return text[:cut]
        cut = text.rfind(":", 0, cut)
    return ""


def _cut_tail(source: str, tail: str) -> _Parts:
    """Cut what stands behind a path: sizes are what has an equals sign, then the layer."""
    sizes, _, layer = tail.partition(":")
    if re.fullmatch(r"[^:=]+=-?\d+(,[^:=]+=-?\d+)*", sizes):
        return _Parts(source, layer or None, _sizes(source, sizes))
    return _Parts(source, tail or None)


def _sizes(source: str, text: str) -> dict[str, int]:
    given = dict(item.strip().rsplit("=", 1) for item in text.split(","))
    wrong = [f"{name}={size} is not at least 1" for name, size in given.items() if int(size) < 1]
    if wrong:
        raise InputError(source, wrong)
    return {name: int(size) for name, size in given.items()}


def _unknown(text: str, registry: Registry) -> CosearchError:
    """Return the error for a text that is neither a name nor an existing path."""
    head = text.partition(":")[0].strip()
    if head in registry.entries["network_spaces"]:
        return InputError(
            head, ["is a space of networks, not one network"], "see: cosearch list workloads"
        )
    path = expanded(text)
    if "/" not in text and not head.lower().endswith(SUFFIXES):
        return UnknownNameError("workload", head, registry.entries["workloads"])
    folder = path.parent
    if not folder.is_dir():
        return InputError(text, [f"there is no directory {str(folder)!r}"])
    siblings = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    near = near_names(path.name, siblings)
    hint = near if near.startswith("did you mean") else "see: cosearch list workloads"
    return InputError(text, ["there is no such file or directory"], hint)


def _only(network: Network, layer: str) -> Network:
    alone = (network.layer(layer),)
    return evolve(network, name=f"{network.name}:{layer}", layers=alone, links=())
