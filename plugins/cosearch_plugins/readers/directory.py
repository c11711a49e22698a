"""A directory of layer files as a network, in the natural order of their names."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import evolve

from cosearch.errors import InputError
from cosearch.workload.network import Layer, Network
from cosearch_plugins.readers.yaml_reader import read_yaml

SUFFIXES = (".yaml", ".yml", ".json")


def read_directory(path: Path) -> Network | None:
    """Return the layers in all YAML and JSON files of a directory, or None if it has none.

    A layer is named after its file; where a file holds several, `file.layer`. A link that leads out
    of the directory is refused: a directory that was unpacked names nobody else's files.

    Raises:
        InputError: with the problems of all files.
    """
    files = sorted(
        (f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file()),
        key=lambda f: _natural(f.stem),
    )
    if not files:
        return None
    layers: list[Layer] = []
    problems: list[str] = []
    for file in files:
        if not file.resolve().is_relative_to(path.resolve()):
            problems.append(f"{file.name}: is a link that leads out of the directory")
            continue
        try:
            layers += _named_after(file, read_yaml(file).layers)
        except InputError as error:
            name = error.source.removeprefix(f"{path}/")
            problems += [f"{name}: {problem}" for problem in error.problems]
    if problems:
        raise InputError(str(path), problems)
    return Network(path.resolve().name, tuple(layers), source=str(path))


def _named_after(file: Path, layers: tuple[Layer, ...]) -> list[Layer]:
    if len(layers) == 1:
        return [_renamed(layers[0], file.stem)]
    return [_renamed(layer, f"{file.stem}.{layer.name}") for layer in layers]


def _renamed(layer: Layer, name: str) -> Layer:
    return evolve(layer, einsum=evolve(layer.einsum, name=name))


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key in which `layer2` comes before `layer10`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
