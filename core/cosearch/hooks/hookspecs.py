"""The contract with plugins: hooks that register things, and events to observe.

A hook only registers; behaviour lives in the classes it names. Register a class by an import path
(`"package.module:Class"`) and it is imported when it is first used, so that listing a hundred
plugins imports none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosearch.registry.registration import Registration, hookspec

if TYPE_CHECKING:
    from cosearch.formats.spec import ReadLayer
    from cosearch.machine.architecture import CostRules
    from cosearch.machine.hardware import HardwareModel
    from cosearch.machine.technology import Technology
    from cosearch.registry.registry import Registry
    from cosearch.search.objective import Objective
    from cosearch.study.study import Study, Trial
    from cosearch.workload.network import Network


class Hooks:
    """Every hook. An implementation may leave out parameters it does not use."""

    @hookspec
    def cosearch_strategies(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return search strategies, subclasses of `cosearch.search.strategy.Strategy`.

        Called once, when the registry is made. All answers are joined.
        """

    @hookspec
    def cosearch_mappers(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return mappers, subclasses of `cosearch.mapping.mapper.Mapper`.

        Called once. Every strategy is a mapper too, under its own name.
        """

    @hookspec
    def cosearch_hardware_models(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return hardware models, subclasses of `cosearch.machine.hardware.HardwareModel`.

        Called once.
        """

    @hookspec
    def cosearch_workloads(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return workloads, subclasses of `cosearch.workload.network.Workload`. Called once."""

    @hookspec
    def cosearch_network_spaces(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return network spaces, subclasses of `cosearch.workload.network.NetworkSpace`.

        Called once.
        """

    @hookspec(firstresult=True)
    def cosearch_read_workload(self, path: Path, sizes: Mapping[str, int]) -> Network | None:
        """Return the network in a file or directory, or None to let the next reader try.

        Called when a user names a workload by a path. The first answer stops the call.

        Args:
            path: an existing file or directory.
            sizes: for dimensions that the file leaves open, by name; what the user wrote after
                the path, `model.onnx:batch=1`.

        Raises:
            cosearch.errors.InputError: the file is of the reader's kind but cannot be understood.
        """

    @hookspec(firstresult=True)
    def cosearch_read_hardware(
        self, path: Path, options: Mapping[str, str], registry: Registry
    ) -> HardwareModel | None:
        """Return the machine in a file, or None to let the next reader try.

        Called when a user names hardware by a file. The first answer stops the call.

        Args:
            path: as the user wrote it; there may be no such file.
            options: what the user wrote after it, `FILE:key=value,...`.
            registry: for a reader that needs a technology.

        Raises:
            cosearch.errors.InputError: the file is of the reader's kind but cannot be understood.
        """

    @hookspec(firstresult=True)
    def cosearch_read_mapped_layer(
        self,
        paths: Sequence[Path],
        tool: str,
        tables: Mapping[str, Path],
        technology: Technology | None,
        rules: CostRules | None,
    ) -> ReadLayer | None:
        """Return one mapped layer in the files of another tool, or None to let the next reader try.

        Called by `cosearch evaluate --TOOL FILE...`. The first answer stops the call.

        Args:
            paths: the files, in any order.
            tool: whose files they are, such as `timeloop`.
            tables: further files by what they are, such as `ert`.
            technology: prices what no file prices.
            rules: how things are counted; the tool's own if None.

        Raises:
            cosearch.errors.InputError: with everything in a file that is wrong or not understood.
        """

    @hookspec
    def cosearch_workload_writers(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return writers of networks, subclasses of `cosearch.workload.writer.WorkloadWriter`.

        Called once. `cosearch export-workload NETWORK --as NAME` finds them.
        """

    @hookspec
    def cosearch_objectives(self) -> Iterable[Objective]:  # type: ignore[empty-body]
        """Return further objectives. Called once."""

    @hookspec
    def cosearch_technologies(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return technologies, subclasses of `cosearch.machine.technology.Technology`.

        Called once.
        """

    @hookspec
    def cosearch_executors(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return executors, subclasses of `cosearch.study.executor.Executor`. Called once."""

    @hookspec
    def cosearch_schemes(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return schemes of co-design, subclasses of `cosearch.study.scheme.Scheme`.

        Called once.
        """

    @hookspec
    def cosearch_references(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return reference data that models are validated against. Called once.

        Subclasses of `cosearch.validate.reference.Reference`, for `cosearch validate NAME DIR`.
        """

    @hookspec
    def cosearch_reporters(self) -> Iterable[Registration]:  # type: ignore[empty-body]
        """Return formats of reports, subclasses of `cosearch.reporting.reporter.Reporter`.

        Called once. A reporter's name is the suffix of its files: `cosearch report STUDY --to
        page.html` finds `html`.
        """

    @hookspec
    def cosearch_commands(self, app: Any) -> None:  # noqa: ANN401 - typer is imported late
        """Add commands to the command line.

        Args:
            app: the `typer.Typer` application, before it parses anything.
        """

    @hookspec
    def cosearch_study_started(self, study: Study) -> None:
        """A study begins or is resumed; called in the main process before its first trial."""

    @hookspec
    def cosearch_trial_finished(self, study: Study, trial: Trial) -> None:
        """A trial was stored; called in the main process, in the order of trial numbers."""

    @hookspec
    def cosearch_study_finished(self, study: Study) -> None:
        """A study ended, by its budget or by Ctrl-C; everything is stored."""
