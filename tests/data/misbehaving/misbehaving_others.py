"""More of the package with every misbehaviour: what is no machine, mapper, strategy or executor."""

from __future__ import annotations

import math

import numpy as np
from attrs import evolve
from misbehaving import RAISES, Machines, raising

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Memory
from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import ComputePrice, StoragePrice, Technology, priced
from cosearch.registry.registration import Registration, hookimpl
from cosearch.reporting.reporter import Reporter
from cosearch.search.objective import Objective
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer, Network, NetworkSpace, Workload


def fine():
    return Network("fine", (Layer(gemm("product", M=8, N=8, K=8), 2),), source="made up for tests")


NETWORKS = {
    **{f"raises-{name}": act for name, act in RAISES.items()},
    "none": lambda n: None,
    "text": lambda n: "resnet18",
    "class": lambda n: Network,
    "layers-none": lambda n: evolve(n, layers=None),
    "layers-empty": lambda n: evolve(n, layers=()),
    "layers-list": lambda n: evolve(n, layers=list(n.layers)),
    "layers-einsums": lambda n: evolve(n, layers=(n.layers[0].einsum,)),
    "layers-texts": lambda n: evolve(n, layers=("conv",)),
    "einsum-none": lambda n: evolve(n, layers=(Layer(None),)),
    "count-zero": lambda n: evolve(n, layers=(evolve(n.layers[0], count=0),)),
    "count-negative": lambda n: evolve(n, layers=(evolve(n.layers[0], count=-2),)),
    "count-half": lambda n: evolve(n, layers=(evolve(n.layers[0], count=0.5),)),
    "count-true": lambda n: evolve(n, layers=(evolve(n.layers[0], count=True),)),
    "count-text": lambda n: evolve(n, layers=(evolve(n.layers[0], count="2"),)),
    "size-half": lambda n: evolve(n, layers=(Layer(gemm("odd", M=8, N=2.5, K=8)),)),
    "size-nan": lambda n: evolve(n, layers=(Layer(gemm("odd", M=8, N=math.nan, K=8)),)),
    "name-none": lambda n: evolve(n, name=None),
    "name-surrogate": lambda n: evolve(n, name="half \ud800"),
    "layer-surrogate": lambda n: evolve(n, layers=(Layer(gemm("\ud800", M=8, N=8, K=8)),)),
    "source-none": lambda n: evolve(n, source=None),
}
"""What a network may be."""


class BadWorkload(Workload):
    options = ParameterSpace((Parameter("fault", ("fine", "new", *NETWORKS), "fine"),))

    def __init__(self, fault="fine"):
        if fault == "new":
            raise ValueError("no workload")
        self.fault = fault

    def network(self):
        return NETWORKS.get(self.fault, lambda n: n)(fine())


ACCURACIES = {
    **{f"accuracy-{name}": act for name, act in RAISES.items()},
    "accuracy-none": lambda a: None,
    "accuracy-list": lambda a: a.tolist(),
    "accuracy-text": lambda a: a.astype(str),
    "accuracy-complex": lambda a: a * 1j,
    "accuracy-objects": lambda a: a.astype(object),
    "accuracy-bool": lambda a: a > 0,
    "accuracy-short": lambda a: a[:-1],
    "accuracy-matrix": lambda a: a[:, None],
    "accuracy-scalar": lambda a: 90.0,
    "accuracy-negative": lambda a: -a,
    "accuracy-over": lambda a: a + 100,
    "accuracy-infinite": lambda a: a * math.inf,
}

SCORES = {
    "score-none": lambda s: None,
    "score-text": lambda s: s.astype(str),
    "score-complex": lambda s: s * 1j,
    "score-short": lambda s: s[:-1],
    "score-raises": raising(ValueError("no score")),
    "score-exits": raising(SystemExit(0)),
}

BUILDS = {f"build-{name}": act for name, act in NETWORKS.items()}

OF_NETWORKS = {**ACCURACIES, **SCORES, **BUILDS}
"""What a space may say of one of its networks."""

OF_SPACES = {
    "space-none": ("space", None),
    "space-text": ("space", "all"),
    "baseline-none": ("baseline", None),
    "baseline-list": ("baseline", []),
    "baseline-outside": ("baseline", {"fault": "no such"}),
    "baseline-other": ("baseline", {"depth": 3}),
    "is-none": ("accuracy_is", None),
    "is-guessed": ("accuracy_is", "guessed"),
    "note-none": ("accuracy_note", None),
    "note-surrogate": ("accuracy_note", "\ud800"),
    "scores-none": ("scores", None),
    "scores-numbers": ("scores", (1,)),
}
"""What a space may say of itself."""

OF_PROPERTIES = {
    f"{what}-{name}": (what, name)
    for what in ("space", "baseline", "missing")
    for name in ("error", "exit-0", "bare", "unspeakable", "generator-exit", "stop-iteration")
} | {"missing-none": ("missing", "none")}

REMARKS = {
    "remark-none": lambda t: None,
    "remark-surrogate": lambda t: "\ud800",
    "remark-raises": raising(ValueError("no remark")),
    "remark-exits": raising(SystemExit(0)),
    "origins-none": lambda t: None,
    "origins-short": lambda t: (),
    "origins-numbers": lambda t: (1,),
}
"""What is asked for when a design is reported."""

ALL_OF_SPACES = ("fine", *OF_SPACES, *OF_PROPERTIES, *REMARKS)


class BadNetworks(NetworkSpace):
    """Each of its networks has a fault of its own; the space may have one too."""

    options = ParameterSpace((Parameter("fault", ALL_OF_SPACES, "fine"),))

    def __init__(self, fault="fine"):
        self.fault = fault
        what, said = OF_SPACES.get(fault, ("", None))
        self.accuracy_is = said if what == "accuracy_is" else "measured"
        self.accuracy_note = said if what == "accuracy_note" else "made up for tests"
        self.scores = said if what == "scores" else ("zen",)

    def _said(self, what, value):
        if self.fault in OF_PROPERTIES and OF_PROPERTIES[self.fault][0] == what:
            return RAISES.get(OF_PROPERTIES[self.fault][1], lambda: None)()
        name, said = OF_SPACES.get(self.fault, ("", None))
        return said if name == what else value

    @property
    def space(self):
        return self._said("space", ParameterSpace((Parameter("kind", ("fine", *OF_NETWORKS)),)))

    @property
    def baseline(self):
        return self._said("baseline", {"kind": "fine"})

    def missing(self, name):
        return self._said("missing", "")

    def _kind(self, rows):
        return ("fine", *OF_NETWORKS)[rows[0, 0]]

    def build(self, row):
        return BUILDS.get(self._kind(row[None]), lambda n: n)(fine())

    def accuracy(self, rows):
        return ACCURACIES.get(self._kind(rows), lambda a: a)(90.0 + np.zeros(len(rows)))

    def score(self, name, rows):
        return SCORES.get(self._kind(rows), lambda s: s)(1.0 + np.zeros(len(rows)))

    def origins(self, rows):
        act = REMARKS[self.fault] if self.fault.startswith("origins") else lambda t: t
        return act(("measured",) * len(rows))

    def remark(self, row):
        act = REMARKS[self.fault] if self.fault.startswith("remark") else lambda t: t
        return act(super().remark(row))


STORAGES = {
    **{f"storage-{name}": act for name, act in RAISES.items()},
    "storage-none": lambda p: None,
    "storage-tuple": lambda p: (1.0, 2.0),
    "storage-compute": lambda p: ComputePrice(1.0, 1.0, "", ""),
    "storage-energy": lambda p: evolve(p, energy=1.0),
    "storage-read": lambda p: evolve(p, energy=evolve(p.energy, read=math.nan)),
    "storage-fill": lambda p: evolve(p, energy=evolve(p.energy, fill=-1.0)),
    "storage-update": lambda p: evolve(p, energy=evolve(p.energy, update=1j)),
    "storage-text": lambda p: evolve(p, energy=evolve(p.energy, read="1 pJ")),
    "storage-infinite": lambda p: evolve(p, energy=AccessEnergy.uniform(math.inf)),
    "storage-area": lambda p: evolve(p, area_um2=-1.0),
    "storage-area-none": lambda p: evolve(p, area_um2=None),
    "storage-area-infinite": lambda p: evolve(p, area_um2=math.inf),
    "storage-leak": lambda p: evolve(p, leak_pj_per_cycle=math.nan),
    "storage-source": lambda p: evolve(p, energy_source=None),
    "storage-surrogate": lambda p: evolve(p, area_source="\ud800"),
}

COMPUTES = {
    **{f"compute-{name}": act for name, act in RAISES.items()},
    "compute-none": lambda p: None,
    "compute-number": lambda p: 1.0,
    "compute-nan": lambda p: evolve(p, energy_pj=math.nan),
    "compute-negative": lambda p: evolve(p, energy_pj=-1.0),
    "compute-complex": lambda p: evolve(p, energy_pj=1j),
    "compute-area": lambda p: evolve(p, area_um2="1 um2"),
    "compute-source": lambda p: evolve(p, area_source=7),
}

PRICES = ("fine", *STORAGES, *COMPUTES)


class BadTechnology(Technology):
    options = ParameterSpace((Parameter("fault", (*PRICES, "new"), "fine"),))

    def __init__(self, fault="fine"):
        if fault == "new":
            raise SystemExit(0)
        self.fault = fault

    @property
    def name(self):
        return "bad"

    def storage(self, part):
        price = StoragePrice(AccessEnergy.uniform(1.0), 10.0, "made up", "made up")
        return STORAGES.get(self.fault, lambda p: p)(price)

    def compute(self, bits, name="MAC"):
        price = ComputePrice(1.0, 10.0, "made up", "made up")
        return COMPUTES.get(self.fault, lambda p: p)(price)


def machine(technology):
    levels = (
        Memory("buffer", 512, AccessEnergy.uniform(0.0)),
        Memory("DRAM", None, AccessEnergy.uniform(0.0), is_dram=True),
    )
    compute = Compute(0.0, mesh_x=2)
    return SpatialAccelerator(priced(Architecture("priced", levels, compute), technology))


class Priced(HardwareModel):
    """Every design is priced by a technology with a fault of its own."""

    name = "priced"
    space = ParameterSpace((Parameter("fault", PRICES, "fine"),))

    def build(self, configuration):
        return machine(BadTechnology(self.check(configuration)["fault"]))


class Named(HardwareModel):
    """Priced by the technology that the user names."""

    name = "named"
    space = ParameterSpace((Parameter("width", (1, 2)),))
    options = ParameterSpace((Parameter("prices", ("bad",), free=True, plugin="technologies"),))

    def __init__(self, prices=None):
        self.prices = prices

    def build(self, configuration):
        return machine(self.prices)


TEXTS = {
    **{f"raises-{name}": act for name, act in RAISES.items()},
    "none": lambda t: None,
    "bytes": lambda t: t.encode(),
    "number": lambda t: 7,
    "lines": lambda t: [t],
    "surrogate": lambda t: t + "\ud800",
}
"""What a reporter may write."""


class BadReporter(Reporter):
    fault = "fine"

    def study(self, study, commands):
        return TEXTS.get(self.fault, lambda t: t)("a study")

    def comparison(self, compared):
        return TEXTS.get(self.fault, lambda t: t)("a comparison")

    def groups(self, title, machine, found):
        return TEXTS.get(self.fault, lambda t: t)("groups")


def reporter_of(which):
    return type("BadReporter", (BadReporter,), {"fault": which, "__module__": __name__})


VALUES = {
    **{f"raises-{name}": act for name, act in RAISES.items()},
    "none": lambda v: None,
    "text": lambda v: v.astype(str),
    "complex": lambda v: v * 1j,
    "objects": lambda v: v.astype(object),
    "bool": lambda v: v > 0,
    "scalar": lambda v: 1.0,
    "short": lambda v: v[:-1],
    "matrix": lambda v: v[:, None],
    "nan": lambda v: v * math.nan,
    "infinite": lambda v: v * math.inf,
    "ragged": lambda v: [[1.0], [1.0, 2.0]],
}
"""What an objective may be."""

AIMS = ("fine", *VALUES)


def value(metrics):
    """Misbehave as the area of the design says."""
    fault = AIMS[round(float(metrics["area_mm2"][0]))]
    return VALUES.get(fault, lambda v: v)(metrics["energy_pj"] * metrics["cycles"])


class Areas(HardwareModel):
    """Every design has an area of its own, by which the objective chooses its fault."""

    name = "areas"
    space = ParameterSpace((Parameter("aim", AIMS, "fine"),))

    def build(self, configuration):
        at = AIMS.index(self.check(configuration)["aim"])
        built = Machines().build({"width": 4}).sized(float(at))
        built.width = 4 + at
        return built


@hookimpl
def cosearch_hardware_models():
    return [
        Registration("priced", Priced, "priced in every wrong way"),
        Registration("named-prices", Named, "priced as you say"),
        Registration("areas", Areas, "an area a design"),
    ]


@hookimpl
def cosearch_workloads():
    return [Registration("bad-net", BadWorkload, "misbehaves on demand")]


@hookimpl
def cosearch_network_spaces():
    return [Registration("bad-nets", BadNetworks, "misbehaves in every way")]


@hookimpl
def cosearch_technologies():
    return [Registration("bad", BadTechnology, "misbehaves on demand")]


@hookimpl
def cosearch_reporters():
    return [Registration(f"bad-{f}", reporter_of(f), "misbehaves") for f in ("fine", *TEXTS)]


@hookimpl
def cosearch_objectives():
    needs = ("energy_pj", "cycles", "area_mm2")
    return [
        Objective("bad-aim", "odd", value, "misbehaves by the area", needs),
        Objective("bad-zen", "odd", lambda m: m["zen"], "a score of the network", ("zen",)),
        Objective("bad-need", "odd", lambda m: m["nothing"], "reads what it does not need", needs),
    ]
