"""One package with every misbehaviour: each kind is an option `fault` of one of its plugins."""

from __future__ import annotations

import ctypes
import math
import os
import sys

import numpy as np
from attrs import evolve

from cosearch.errors import Infeasible
from cosearch.machine.cost import Cost, CostBatch, LevelCost
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.mapper import Mapped, Mapper
from cosearch.registry.registration import Registration, hookimpl
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Strategy
from cosearch.study.executor import Executor
from cosearch.trials.trial import Outcome

ESCAPE = "\x1b]0;owned\x07\x1b[31m\x9b31m"


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Bare(BaseException):
    pass


def raising(error):
    def act(*_):
        raise error

    return act


def recursing(*_):
    return recursing()


def deadly(*_):
    ctypes.string_at(0)


RAISES = {
    "error": raising(ValueError("a fault")),
    "exit-0": raising(SystemExit(0)),
    "exit": lambda *_: sys.exit("bye"),
    "interrupt": raising(KeyboardInterrupt()),
    "generator-exit": raising(GeneratorExit()),
    "stop-iteration": raising(StopIteration()),
    "bare": raising(Bare("bare")),
    "memory": raising(MemoryError("too much")),
    "unspeakable": raising(Unspeakable()),
    "surrogate": raising(ValueError("half \ud800 pair")),
    "escape": raising(ValueError(ESCAPE)),
    "long": raising(ValueError("x" * 10**6)),
    "lines": raising(ValueError("one\ntwo")),
    "recursion": recursing,
    "group": raising(ExceptionGroup("several", [ValueError("one"), TypeError("two")])),
    "warning": raising(DeprecationWarning("old")),
    "assertion": raising(AssertionError()),
    "unicode": raising(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd")),
    "os-error": raising(OSError(28, "No space left on device")),
}
"""What any method may do instead of its work."""

DEADLY = {"os-exit": lambda *_: os._exit(0), "segfault": deadly, "abort": lambda *_: os.abort()}
"""What only a process of its own survives."""

COSTS = {
    "nothing": lambda c: None,
    "tuple": lambda c: (c.energy_pj, c.cycles),
    "complex": lambda c: evolve(c, energy_pj=c.energy_pj * (1 + 1j)),
    "text": lambda c: evolve(c, cycles=c.cycles.astype(str)),
    "objects": lambda c: evolve(c, energy_pj=c.energy_pj.astype(object)),
    "list": lambda c: evolve(c, energy_pj=c.energy_pj.tolist()),
    "scalar": lambda c: evolve(c, energy_pj=1.0),
    "zero-energy": lambda c: evolve(c, energy_pj=c.energy_pj * 0),
    "zero-cycles": lambda c: evolve(c, cycles=c.cycles * 0),
    "negative": lambda c: evolve(c, energy_pj=-c.energy_pj),
    "nan": lambda c: evolve(c, energy_pj=c.energy_pj * math.nan),
    "infinite": lambda c: evolve(c, cycles=c.cycles * math.inf),
    "feasible-2": lambda c: evolve(c, feasible=c.feasible * 2),
    "feasible-none": lambda c: evolve(c, feasible=np.full(len(c.feasible), None)),
    "short": lambda c: evolve(c, cycles=c.cycles[:-1]),
    "matrix": lambda c: evolve(c, cycles=c.cycles[:, None]),
    "reason": lambda c: evolve(c, reason=c.reason + 7),
    "reason-negative": lambda c: evolve(c, reason=c.reason - 1),
    "reason-float": lambda c: evolve(c, reason=c.reason + 0.5),
    "excess": lambda c: evolve(c, excess=c.excess * 1j),
}
"""What `evaluate` may return."""

BUILT = {
    "built-none": lambda m: None,
    "built-text": lambda m: "machine",
    "built-class": lambda m: Vector,
    "area-negative": lambda m: m.sized(-1.0),
    "area-infinite": lambda m: m.sized(math.inf),
    "area-complex": lambda m: m.sized(1j),
    "area-none": lambda m: m.sized(None),
    "area-text": lambda m: m.sized("1 mm2"),
}
"""What `build` may return."""

EXPLAINED = {
    "explain-none": lambda c: None,
    "explain-empty": lambda c: evolve(c, levels=()),
    "explain-lies": lambda c: evolve(c, energy_pj=c.energy_pj * 2),
    "explain-raises": raising(ValueError("no account")),
    "explain-exits": raising(SystemExit(0)),
}
"""What `explain` may return: seen when the design is reported."""

MAPSPACES = {
    "mapspace-none": lambda s: None,
    "mapspace-raises": raising(ValueError("no mapspace")),
    "mapspace-exits": raising(SystemExit(3)),
    "mapspace-text": lambda s: "all of them",
    "mapspace-class": lambda s: ParameterSpace,
}

SAID = {
    "key-none": ("key", None),
    "key-number": ("key", 7),
    "key-surrogate": ("key", "half \ud800 pair"),
    "key-escape": ("key", "\x1b]0;owned\x07"),
    "name-none": ("name", None),
    "name-escape": ("name", "\x1b]0;owned\x07 \ud800"),
    "clock-zero": ("clock_mhz", 0.0),
    "clock-negative": ("clock_mhz", -5.0),
    "clock-nan": ("clock_mhz", math.nan),
    "clock-text": ("clock_mhz", "fast"),
    "sources-none": ("sources", None),
    "sources-numbers": ("sources", {1: 2}),
}
"""What a machine may say of itself."""

MACHINE_FAULTS = (
    "none",
    "print",
    "infeasible-escape",
    *(f"build-{name}" for name in (*RAISES, *DEADLY)),
    *(f"evaluate-{name}" for name in (*RAISES, *DEADLY)),
    *COSTS,
    *BUILT,
    *MAPSPACES,
    *EXPLAINED,
    *SAID,
    "key-raises",
    "key-exits",
    "key-random",
)

MAPPED = {
    "half": lambda m: evolve(m, row=np.array([0.5])),
    "text": lambda m: evolve(m, row=np.array(["a"])),
    "outside": lambda m: evolve(m, row=np.array([99])),
    "long": lambda m: evolve(m, row=np.array([0, 0])),
    "evaluations": lambda m: evolve(m, evaluations=-1),
    "evaluations-half": lambda m: evolve(m, evaluations=0.5),
    "nodes": lambda m: evolve(m, nodes=-3),
    "proven": lambda m: evolve(m, proven="yes"),
    "proven-gap": lambda m: evolve(m, proven=True, gap=0.5),
    "gap": lambda m: evolve(m, gap=-0.5),
    "cheaper": lambda m: evolve(m, energy_pj=m.energy_pj / 2),
    "free": lambda m: evolve(m, cycles=0.0),
    "none": lambda m: None,
    "raises": raising(ValueError("no mapping")),
    "exits": raising(SystemExit(0)),
}

ASKED = {
    "none": lambda rows: None,
    "half": lambda rows: rows + 0.5,
    "flat": lambda rows: rows.ravel(),
    "many": lambda rows: np.repeat(rows, 9, axis=0),
    "wide": lambda rows: np.hstack([rows, rows]),
    "text": lambda rows: rows.astype(str),
    "bool": lambda rows: rows.astype(bool),
    "raises": raising(ValueError("no idea")),
    "exits": raising(SystemExit(0)),
    "interrupts": raising(KeyboardInterrupt()),
    "bare": raising(Bare()),
}

HANDED = (
    "repeats",
    "invents",
    "loses-once",
    "loses",
    "backwards",
    "none",
    "text",
    "swapped",
    "raises",
    "exits",
)


class Machines(HardwareModel):
    name = "bad"
    space = ParameterSpace((Parameter("width", (1, 2, 4, 8), 1),))
    options = ParameterSpace((Parameter("fault", MACHINE_FAULTS, "none"),))

    def __init__(self, fault="none"):
        self.fault = fault

    def build(self, configuration):
        width = self.check(configuration)["width"]
        fault = self.fault if width == 2 else "none"
        machine = Vector(width, fault)
        if fault.startswith("build-"):
            {**RAISES, **DEADLY}[fault.removeprefix("build-")]()
        if fault == "infeasible-escape":
            raise Infeasible(f"no {ESCAPE} such \ud800 machine")
        return BUILT.get(fault, lambda m: m)(machine)


PARADE = tuple(f for f in MACHINE_FAULTS if f.partition("-")[2] not in DEADLY)
"""Every fault that a process survives."""


class Parade(HardwareModel):
    """Every design has a fault of its own."""

    name = "parade"
    space = ParameterSpace((Parameter("fault", PARADE, "none"),))

    def build(self, configuration):
        return Machines(self.check(configuration)["fault"]).build({"width": 2})


class Vector(Accelerator):
    clock_mhz = 100.0
    sources = {"all": "made up for tests"}

    def __init__(self, width, fault):
        self.width, self.fault = width, fault
        self.name, self.area_mm2 = f"vector-{width}", width * 0.5
        if fault in SAID and fault.partition("-")[0] != "key":
            setattr(self, *SAID[fault])

    def sized(self, area):
        self.area_mm2 = area
        return self

    @property
    def key(self):
        if self.fault == "key-raises":
            raise ValueError("no key")
        if self.fault == "key-exits":
            sys.exit(0)
        if self.fault == "key-random":
            return os.urandom(8).hex()
        said = SAID.get(self.fault, ("", ""))
        return said[1] if said[0] == "key" else f"vector {self.width} {self.fault}"

    def mapspace(self, layer):
        tiles = tuple(t for t in (1, 2, 4, 8) if layer.macs % t == 0)
        return MAPSPACES.get(self.fault, lambda s: s)(ParameterSpace((Parameter("tile", tiles),)))

    def evaluate(self, layer, rows):
        if self.fault == "print":
            print("hello from evaluate")
        if self.fault.startswith("evaluate-"):
            {**RAISES, **DEADLY}[self.fault.removeprefix("evaluate-")]()
        tile = np.array([1, 2, 4, 8])[rows[:, 0]]
        n = len(rows)
        costs = CostBatch(
            layer.macs * (1.0 + 10.0 / tile),
            np.maximum(layer.macs // self.width, layer.macs // tile).astype(float),
            np.ones(n, dtype=bool),
            np.zeros(n, dtype=np.int64),
        )
        return COSTS.get(self.fault, lambda c: c)(costs)

    def explain(self, layer, row):
        costs = self.evaluate(layer, row[None, :])
        energy, cycles = float(costs.energy_pj[0]), float(costs.cycles[0])
        levels = (LevelCost("scratchpad", cycles, energy - layer.macs),)
        cost = Cost(energy, cycles, layer.macs, float(layer.macs), levels, 1.0, "compute")
        return EXPLAINED.get(self.fault, lambda c: c)(cost)


class BadMapper(Mapper):
    options = ParameterSpace((Parameter("fault", ("fine", *MAPPED), "fine"),))

    def __init__(self, fault="fine"):
        self.fault = fault

    def map(self, accelerator, layer, objective, budget, rng):
        row = np.array([0])
        costs = accelerator.evaluate(layer, row[None, :])
        mapped = Mapped(row, float(costs.energy_pj[0]), float(costs.cycles[0]), evaluations=1)
        wrong = accelerator.width == 2 and self.fault in MAPPED
        return MAPPED[self.fault](mapped) if wrong else mapped


class BadStrategy(Strategy):
    options = ParameterSpace((Parameter("fault", ("fine", *ASKED), "fine"),))

    def __init__(self, space, rng, fault="fine"):
        super().__init__(space, rng)
        self.fault, self.asked = fault, 0

    def ask(self, n):
        rows = np.arange(self.asked, min(self.asked + n, self.space.size))[:, None]
        self.asked += len(rows)
        return ASKED.get(self.fault, lambda r: r)(rows)

    def tell(self, rows, losses, feasible, violations=None):
        pass


class BadExecutor(Executor):
    options = ParameterSpace((Parameter("fault", ("fine", *HANDED), "fine"),))
    elsewhere = False

    def __init__(self, task, workers, trial_seconds, fault="fine"):
        super().__init__(task, workers, trial_seconds)
        self.fault, self.lost = fault, 0

    def run(self, designs):
        for design in reversed(designs) if self.fault == "backwards" else designs:
            yield from self._one(design)

    def _one(self, design):
        if self.fault == "raises":
            raise ValueError("no workers")
        if self.fault == "exits":
            sys.exit(0)
        if self.fault == "loses" or (self.fault == "loses-once" and self.lost < 2):
            self.lost += 1
            return
        outcome = self.task(design)
        odd = {
            "none": None,
            "text": "done",
            "swapped": (outcome, design),
        }
        yield odd.get(self.fault, (design, outcome))
        if self.fault == "repeats":
            yield design, outcome
        if self.fault == "invents":
            yield evolve(design, number=design.number + 1000), Outcome.failed("invented")


class Observer:
    """Registered by the test that wants it."""

    def __init__(self, act):
        self.act = act

    @hookimpl
    def cosearch_trial_finished(self, study, trial):
        self.act(study, trial)


OBSERVERS = {
    "clears": lambda study, trial: study.trials.clear(),
    "deletes": lambda study, trial: study.trials.pop(trial.number),
    "adds": lambda study, trial: study.add(evolve(trial, number=trial.number + 50)),
    "renames": lambda study, trial: setattr(study, "header", None),
    "unbases": lambda study, trial: setattr(study, "baseline", None),
    "edits": lambda study, trial: setattr(trial, "number", 7),
    "raises": raising(ValueError("broken observer")),
    "exits": raising(SystemExit(0)),
    "unspeakable": raising(Unspeakable()),
}


@hookimpl
def cosearch_hardware_models():
    return [
        Registration("bad", Machines, "misbehaves on demand"),
        Registration("parade", Parade, "misbehaves in every way"),
    ]


@hookimpl
def cosearch_mappers():
    return [Registration("bad", BadMapper, "misbehaves on demand")]


@hookimpl
def cosearch_strategies():
    return [Registration("bad", BadStrategy, "misbehaves on demand")]


@hookimpl
def cosearch_executors():
    return [Registration("bad", BadExecutor, "misbehaves on demand")]
