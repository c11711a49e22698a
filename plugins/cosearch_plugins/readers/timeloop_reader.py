"""Timeloop's problem files as networks of one layer."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from cosearch.formats.yaml_source import YamlDocument
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch_plugins.formats.timeloop.problem import problem_of


def timeloop_network(document: YamlDocument, path: Path) -> Network:
    """Return the layer of a Timeloop problem (0.2 to 0.4), named after its file.

    Raises:
        InputError: with what is wrong or not understood.
    """
    name = path.name.partition(".yaml.")[0] if ".yaml." in path.name else path.stem
    problem = problem_of(document, name)
    notes = tuple(Unmodelled(name, "Timeloop", 0, note) for note in problem.notes)
    layer = Layer(evolve(problem.layer, name=name))
    return Network(name, (layer,), notes, str(path))
