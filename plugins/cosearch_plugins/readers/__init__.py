"""Readers of workload files, and of reference data, that ship with cosearch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cosearch.registry.registration import Registration, hookimpl

if TYPE_CHECKING:
    from cosearch.workload.network import Network


@hookimpl
def cosearch_read_workload(path: Path, sizes: Mapping[str, int]) -> Network | None:
    """Return the network in a file of a known kind, or in a directory of layers."""
    if path.is_dir():
        from cosearch_plugins.readers.directory import read_directory

        return read_directory(path)
    kind = path.suffix.lower()
    if kind == ".onnx":
        from cosearch_plugins.readers.onnx.reader import read_onnx

        return read_onnx(path, sizes)
    if kind == ".pt2":
        from cosearch_plugins.readers.torch.reader import read_torch

        return read_torch(path)
    if kind in (".yaml", ".yml", ".json", ".jinja", ".jinja2", ".j2"):
        from cosearch_plugins.readers.yaml_reader import read_yaml

        return read_yaml(path)
    if kind == ".csv":
        from cosearch_plugins.readers.scalesim.topology import read_topology

        return read_topology(path)
    if kind == ".m":
        from cosearch_plugins.readers.maestro.reader import read_maestro

        return read_maestro(path)
    return None


@hookimpl
def cosearch_workload_writers() -> Iterable[Registration]:
    """Return the formats of other tools that networks can be written in."""
    here = "cosearch_plugins.readers"
    return (
        Registration(
            "scalesim", f"{here}.scalesim.writer:ScaleSimWriter", "SCALE-Sim topology CSV"
        ),
        Registration("zigzag", f"{here}.zigzag.writer:ZigZagWriter", "ZigZag workload YAML"),
        Registration(
            "timeloop",
            f"{here}.timeloop_writer:TimeloopWriter",
            "Timeloop problem files, one different layer a file",
        ),
        Registration(
            "accelforge", f"{here}.accelforge.writer:AccelForgeWriter", "AccelForge workload YAML"
        ),
        Registration("maestro", f"{here}.maestro.writer:MaestroWriter", "MAESTRO network file"),
    )
