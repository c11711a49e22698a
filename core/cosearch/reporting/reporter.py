"""What a reporter is given, what it returns, and the file that comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

from attrs import frozen

from cosearch.answers import Answering, Contract, no_text
from cosearch.compare.contest import Case
from cosearch.compare.outcome import Result
from cosearch.compare.scores import Standing
from cosearch.compare.tuning import Rehearsal
from cosearch.errors import CosearchError, InputError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.mapping.fused import FusedMapping
from cosearch.registry.registry import Registry
from cosearch.search.parameters import ParameterSpace
from cosearch.study.report import DesignReport
from cosearch.study.study import Study
from cosearch.trials.trial import Trial

Trials: TypeAlias = Mapping[str, Sequence[Trial]]
"""Name of a study to its own trials in order."""


@frozen(eq=False)
class Compared:
    """A finished comparison.

    Attributes:
        result: every run.
        standing: the scores; there is at least one.
        tuned: how the contenders were tuned first; None where they were not.
        trials: of every run, by the name of its study.
        best: of each solved case, the best design priced again.
        facts: commands, versions, plugins, settings: what another needs to get the same.
    """

    result: Result
    standing: Standing
    tuned: Rehearsal | None
    trials: Trials
    best: Mapping[Case, DesignReport]
    facts: Sequence[str]


class Reporter(Answering, ABC):
    """Writes studies and comparisons in one format; registered with `cosearch_reporters`.

    It is registered under the suffix of its files: who writes to `page.html` gets `html`.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())

    _contract: ClassVar[Contract] = Contract(
        "reporter", dict.fromkeys(("study", "comparison", "groups"), no_text)
    )

    @classmethod
    def lacking(cls) -> str:
        """Return what has to be installed for it first, in words; empty where nothing is."""
        return ""

    @abstractmethod
    def study(self, study: Study, commands: Sequence[str]) -> str:
        """Return the file's text for a study.

        Args:
            study: finished or not.
            commands: that continue or reproduce it.

        Raises:
            CosearchError: there is nothing to show.
            MissingExtraError: an optional package is not installed.
        """

    @abstractmethod
    def comparison(self, compared: Compared) -> str:
        """Return the file's text for a comparison.

        Raises:
            MissingExtraError: an optional package is not installed.
        """

    def groups(self, title: str, machine: SpatialAccelerator, found: FusedMapping) -> str:
        """Return the file's text for a network mapped in groups.

        Args:
            title: what is mapped on what.
            machine: mapped onto.
            found: its groups, and the layers that run alone.

        Raises:
            CosearchError: this format has none.
            MissingExtraError: an optional package is not installed.
        """
        _ = title, machine, found
        raise CosearchError(f"{type(self).__name__} writes no groups of layers")


def reporter_for(path: Path, registry: Registry) -> Reporter:
    """Return the reporter whose files have the suffix of a path; raises UnknownNameError."""
    suffix = path.suffix.lower().lstrip(".")
    if not suffix:
        known = ", ".join(f".{name}" for name in registry.names("reporters"))
        raise CosearchError(f"{path}: a report's suffix says what it is", f"there is: {known}")
    made: Reporter = registry.made("reporters", suffix)
    return made


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; raises InputError when it cannot be written."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    except OSError as error:
        raise InputError(str(path), [f"cannot be written: {error.strerror}"]) from error
