"""Every hook, used as a third party would: from a distribution with an entry point."""

import re
import sys
from pathlib import Path

import pytest

from cosearch.cli import main
from cosearch.hooks.discovery import load_registry
from cosearch.hooks.hookspecs import Hooks
from cosearch.registry.announce import announce
from cosearch.workload.source import resolve

HOOKS = sorted(name for name in vars(Hooks) if name.startswith("cosearch_"))
GUIDE = Path(__file__).parents[3] / "docs" / "plugins.md"

IMPORTS = """
    import numpy as np

    from cosearch.workload.einsum import gemm
    from cosearch.study.executor import Executor
    from cosearch.machine.hardware import HardwareModel
    from cosearch.registry.registration import Registration, hookimpl
    from cosearch.mapping.mapper import Mapper
    from cosearch.search.objective import Objective
    from cosearch.search.parameters import Parameter, ParameterSpace
    from cosearch.search.strategy import Strategy
    from cosearch.machine.technology import ComputePrice, Technology
    from cosearch.workload.network import Layer, Network, NetworkSpace, Workload
"""


@pytest.fixture
def plugin(distribution):
    """Return a function that installs a plugin and returns the registry and the module."""

    def install(source):
        module = distribution("acme", IMPORTS + source)
        registry = load_registry()
        assert registry.quarantined == ()
        return registry, sys.modules[module]

    return install


def registers(kind, base, body="pass"):
    return f"""
    @hookimpl
    def cosearch_{kind}():
        return [Registration("mine", "MODULE:Mine", "all mine")]

    class Mine({base}):
        {body}
    """


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook):
    assert re.search(rf"^#+ .*`{hook}`", GUIDE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_test_here(hook):
    assert f"test_{hook}" in globals()


@pytest.mark.parametrize("hook", HOOKS)
def test_every_parameter_of_a_hook_is_annotated_and_the_docstring_says_when_it_is_called(hook):
    function = getattr(Hooks, hook)
    names = function.__code__.co_varnames[1 : function.__code__.co_argcount]
    assert set(names) <= set(function.__annotations__)
    assert function.__doc__


def test_cosearch_strategies(plugin):
    registry, module = plugin(
        registers(
            "strategies",
            "Strategy",
            """options = ParameterSpace((Parameter("step", (1, 2, 4)),))

        def __init__(self, space, rng, step=1):
            super().__init__(space, rng)
            self.step = step

        def ask(self, n):
            return self.space.sample(n, self.rng)

        def tell(self, rows, losses, feasible, violations=None):
            pass""",
        )
    )
    found = registry.find("strategies", "mine:step=4")
    assert found.target is module.Mine
    assert found.make(None, None).step == 4


def test_cosearch_mappers(plugin):
    registry, module = plugin(registers("mappers", "Mapper"))
    assert registry.find("mappers", "mine").target is module.Mine


def test_cosearch_hardware_models(plugin):
    registry, module = plugin(registers("hardware_models", "HardwareModel"))
    assert registry.find("hardware_models", "mine").target is module.Mine


def test_cosearch_workloads(plugin):
    registry, _ = plugin(
        registers(
            "workloads",
            "Workload",
            """
        def network(self):
            return Network("mine", (Layer(gemm(M=2, N=3, K=4)),))""",
        )
    )
    assert resolve("mine", registry).macs == 24


def test_cosearch_network_spaces(plugin):
    registry, module = plugin(registers("network_spaces", "NetworkSpace"))
    assert registry.find("network_spaces", "mine").target is module.Mine


def test_cosearch_read_workload(plugin, tmp_path):
    registry, _ = plugin(
        """
    @hookimpl
    def cosearch_read_workload(path):
        if path.suffix == ".mine":
            return Network(path.stem, (Layer(gemm(M=int(path.read_text()), N=3, K=4)),))
    """
    )
    (tmp_path / "net.mine").write_text("5")
    assert resolve(str(tmp_path / "net.mine"), registry).macs == 60


def test_cosearch_objectives(plugin):
    registry, _ = plugin(
        """
    @hookimpl
    def cosearch_objectives():
        return [Objective("watt-hours", "Wh", lambda m: m["energy_pj"] / 3.6e15)]
    """
    )
    assert registry.objective("watt-hours").of({"energy_pj": 7.2e15}) == 2.0
    assert registry.objective_origins["watt-hours"] == "acme 1.0"


def test_cosearch_technologies(plugin):
    registry, module = plugin(registers("technologies", "Technology"))
    assert registry.find("technologies", "mine").target is module.Mine


def test_cosearch_executors(plugin):
    registry, module = plugin(registers("executors", "Executor"))
    assert registry.find("executors", "mine").target is module.Mine


def test_cosearch_schemes(plugin, tmp_path, capsys):
    registry, module = plugin(
        """
    from cosearch.study.scheme import Scheme
    """
        + registers("schemes", "Scheme", "enumerates = True")
    )
    assert registry.find("schemes", "mine").target is module.Mine
    assert main(["list", "schemes"]) == 0
    assert "all mine" in capsys.readouterr().out


def test_cosearch_references(plugin):
    registry, module = plugin(
        """
    from cosearch.validate.reference import Reference
    """
        + registers("references", "Reference", "options = ParameterSpace(())")
    )
    assert registry.find("references", "mine").target is module.Mine


def test_cosearch_read_hardware(plugin, tmp_path):
    from cosearch.study.building import canonical_hardware, make_hardware

    registry, module = plugin(
        """
    from cosearch.machine.hardware import HardwareModel

    @hookimpl
    def cosearch_read_hardware(path):
        return Mine() if path.suffix == ".mine" else None

    class Mine(HardwareModel):
        name = "mine"
        space = ParameterSpace(())

        def build(self, configuration):
            raise NotImplementedError
    """
    )
    path = tmp_path / "one.mine"
    path.touch()
    assert isinstance(make_hardware(str(path), registry), module.Mine)
    assert canonical_hardware(str(path), registry) == str(path)


def test_cosearch_read_mapped_layer(plugin):
    registry, _ = plugin(
        """
    @hookimpl
    def cosearch_read_mapped_layer(paths, tool):
        return (paths, tool) if tool == "mine" else None
    """
    )
    asked = {"paths": [], "tables": {}, "technology": None, "rules": None}
    hook = registry.manager.hook.cosearch_read_mapped_layer
    assert hook(tool="mine", **asked) == ([], "mine")
    assert hook(tool="nobody", **asked) is None


def test_cosearch_workload_writers(plugin):
    registry, module = plugin(
        """
    from cosearch.workload.writer import WorkloadWriter
    """
        + registers("workload_writers", "WorkloadWriter")
    )
    assert registry.find("workload_writers", "mine").target is module.Mine


def test_cosearch_reporters(plugin):
    registry, module = plugin(
        """
    from cosearch.reporting.reporter import Reporter
    """
        + registers("reporters", "Reporter")
    )
    assert registry.find("reporters", "mine").target is module.Mine


def test_cosearch_commands(plugin, capsys):
    plugin(
        """
    @hookimpl
    def cosearch_commands(app):
        @app.command("greet")
        def greet(name: str, loud: bool = False):
            '''Say hello.'''
            print(f"hello {name}")
    """
    )
    assert main(["greet", "world"]) == 0
    assert capsys.readouterr().out == "hello world\n"
    assert main(["--help"]) == 0
    assert re.search(r"greet +Say hello\.", capsys.readouterr().out)


EVENTS = """
    CALLS = []

    @hookimpl
    def cosearch_study_started(study):
        CALLS.append(("started", study))

    @hookimpl
    def cosearch_trial_finished(study, trial):
        CALLS.append(("trial", study, trial))

    @hookimpl
    def cosearch_study_finished(study):
        CALLS.append(("finished", study))
"""


def test_cosearch_study_started(plugin):
    registry, module = plugin(EVENTS)
    assert announce(registry.manager, "cosearch_study_started", study="s") == ()
    assert module.CALLS == [("started", "s")]


def test_cosearch_trial_finished(plugin):
    registry, module = plugin(EVENTS)
    assert announce(registry.manager, "cosearch_trial_finished", study="s", trial="t") == ()
    assert module.CALLS == [("trial", "s", "t")]


def test_cosearch_study_finished(plugin):
    registry, module = plugin(EVENTS)
    assert announce(registry.manager, "cosearch_study_finished", study="s") == ()
    assert module.CALLS == [("finished", "s")]
