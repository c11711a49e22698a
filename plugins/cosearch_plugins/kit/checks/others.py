"""What mappers, technologies, workloads, network spaces, executors and readers must do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.machine.hardware import Accelerator
from cosearch.machine.technology import Storage, Technology
from cosearch.mapping.claim import confirmed
from cosearch.mapping.mapper import Budget, Mapper
from cosearch.mapping.priced import mapping_losses, priced
from cosearch.registry.registry import Registry
from cosearch.search.objective import OBJECTIVES
from cosearch.study.executor import Design, Executor, Task
from cosearch.workload.einsum import gemm
from cosearch.workload.network import (
    ESTIMATED,
    MEASURED,
    PREDICTED,
    Network,
    NetworkSpace,
    Workload,
)
from cosearch_plugins.kit.checks.require import drawn, require

SMALL = gemm("small", M=4, N=2, K=4)
"""A layer whose every mapping can be tried."""

MOST_MAPPINGS = 200_000


def mappers_claim_what_is_so(mapper: Mapper, machine: Accelerator) -> None:
    """What is returned can be run, costs what is claimed, and is best where that is proven."""
    for objective in OBJECTIVES:
        if objective.name not in {"edp", "energy", "latency"}:
            continue
        found = [
            mapper.map(machine, SMALL, objective, Budget(evaluations=500), np.random.default_rng(7))
            for _ in range(2)
        ]
        mapped = confirmed(found[0], machine, SMALL, type(mapper).__name__)
        same = np.array_equal(found[0].row, found[1].row)
        require(same, f"one seed gives the rows {found[0].row} and {found[1].row}")
        space = machine.mapspace(SMALL)
        size = int(np.prod([float(c) for c in space.cardinalities]))
        if not mapped.proven or size > MOST_MAPPINGS or mapped.sizes is not None:
            continue
        rows = np.stack(np.unravel_index(np.arange(size), tuple(space.cardinalities)), axis=1)
        losses = mapping_losses(objective, machine, priced(machine, SMALL, rows.astype(np.int64)))
        own = mapping_losses(objective, machine, priced(machine, SMALL, np.array([mapped.row])))[0]
        best = rows[int(np.argmin(losses))].tolist()
        claim = f"{objective.name}: {mapped.row.tolist()} is claimed to be proven best at {own!r}"
        require(own <= losses.min() * (1 + 1e-12), f"{claim}; {best} costs {losses.min()!r}")


def prices_make_sense(technology: Technology) -> None:
    """Larger memories cost no less an access and an area, and everything names its source."""
    before = (0.0, 0.0)
    for depth in (64, 256, 1024, 4096):
        part = Storage("buffer", "sram", depth, 64)
        try:
            price = technology.storage(part)
        except CosearchError:  # a table that knows only its own components
            continue
        energy = float(price.energy.read)
        require(0 < energy < np.inf, f"a read of {part} costs {energy!r} pJ")
        area = float(price.area_um2)
        require(np.isnan(area) or 0 <= area < np.inf, f"{part} has an area of {area!r} um2")
        require(price.energy_source and price.area_source, f"{part}: no source is named")
        cheaper = energy < before[0] or area < before[1]
        require(not cheaper, f"{part} is cheaper than a smaller memory")
        again = technology.storage(part)
        require(again == price, f"{part} has two prices: {price} and {again}")
        before = (energy, area)


def networks_are_whole(workload: Workload) -> None:
    """A workload makes one network of layers that can be mapped, each time the same."""
    network = workload.network()
    _require_network(network, "network()")
    again = workload.network()
    require(network == again, "network() made two different networks")


def network_spaces_agree_with_themselves(space: NetworkSpace) -> None:
    """Rows build networks, each time the same; accuracies are per cent and say where from."""
    require(space.accuracy_is in {MEASURED, PREDICTED, ESTIMATED},
            f"accuracy_is is {space.accuracy_is!r}")  # fmt: skip
    rows = drawn(space.space, 8)
    rows = rows[space.space.feasible(rows)]
    require(len(rows), "none of 8 rows drawn evenly is feasible")
    accuracies = np.asarray(space.accuracy(rows))
    require(accuracies.shape == (len(rows),), f"accuracy gave an array {accuracies.shape}")
    for row, accuracy in zip(rows, accuracies, strict=True):
        where = f"row {row.tolist()}"
        require(np.isnan(accuracy) or 0 <= accuracy <= 100, f"{where}: accuracy {accuracy!r} %")
        alone = np.asarray(space.accuracy(row[None]))[0]
        same = alone == accuracy or (np.isnan(alone) and np.isnan(accuracy))
        require(same, f"{where}: accuracy {alone!r} alone, {accuracy!r} with others")
        network = space.build(row)
        _require_network(network, where)
        require(space.build(row).layers == network.layers, f"{where} builds two networks")
    space.space.index(space.space.complete(space.baseline))


def _require_network(network: object, where: str) -> None:
    require(isinstance(network, Network), f"{where} made {type(network).__name__}, no Network")
    if isinstance(network, Network):
        require(network.layers, f"{where} made a network without layers")
        require(network.name, f"{where} made a network without a name")


def executors_lose_nothing(
    make: Callable[[Task], Executor], registry: Registry, hardware: str = "eyeriss"
) -> None:
    """Every design comes back, with the outcome that it has here; twice or backwards is fine."""
    from cosearch.study.codesign import plan
    from cosearch.study.handing import evaluated

    problem = plan(registry, "gemm:M=8,N=8,K=8", hardware, "random", mapper="random",
                   mapper_evaluations=20)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "no-such-store.db"
        work = [Design(i, problem.space.decode(r)) for i, r in enumerate(drawn(problem.space, 4))]
        here = Task(problem.spec, path, problem, registry.files)
        expected = {design.number: here(design) for design in work}
        executor = make(Task(problem.spec, path, problem, registry.files))
        with executor:
            for round_ in (work, work[:1]):  # it is used again for the next batch
                found = {d.number: o for d, o in evaluated(executor, round_, [])}
                require(len(found) == len(round_), f"{len(round_)} designs gave {sorted(found)}")
                for number, outcome in found.items():
                    known = expected[number]
                    same = (outcome.state, outcome.losses) == (known.state, known.losses)
                    what = f"{outcome.state} {outcome.losses} {outcome.reason}"
                    require(same, f"design {number}: {what}; here {known.state} {known.losses}")


MORTAL = """
import os
from pathlib import Path
from cosearch.registry.registration import Registration, hookimpl
from cosearch_hardware.eyeriss.model import Eyeriss

class Mortal(Eyeriss):
    def build(self, configuration):
        mark = Path(__file__).with_suffix(".ended")
        if os.getpid() != @PID@ and not mark.exists():
            mark.touch()
            os._exit(9)
        return super().build(configuration)

@hookimpl
def cosearch_hardware_models():
    return [Registration("mortal", Mortal, "ends the first process that it is built in")]
"""


def executors_try_again(make: Callable[[Task], Executor]) -> None:
    """A worker that ends while it evaluates costs no design: it is tried on another one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mortal.py"
        path.write_text(MORTAL.replace("@PID@", str(os.getpid())), encoding="utf-8")
        executors_lose_nothing(make, load_registry((str(path),)), "mortal")


GARBAGE = (b"", b"\0" * 64, b"not a network", b"\xff\xfe\x00", b"[1, 2, 3]", b"{", b"a: *b\n")
SUFFIXES = (".yaml", ".csv", ".onnx", ".json", ".txt", ".unknown")


def readers_pass_or_answer(read: Callable[[Path], object]) -> None:
    """A reader returns None for what it does not know, and one message for what is broken."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            for i, content in enumerate(GARBAGE):
                path = Path(folder) / f"garbage{i}{suffix}"
                path.write_bytes(content)
                try:
                    answer = read(path)
                except CosearchError:
                    continue
                except Exception as error:
                    what = f"{type(error).__name__}: {error}"
                    require(False, f"a {suffix} file of {content!r} raised {what}")
                whole = answer is None or isinstance(answer, Network)
                require(whole, f"a {suffix} file of {content!r} was read as {answer!r}")
