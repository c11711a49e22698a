"""The contract of reference data: a directory of published figures, and the model they judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import field, frozen

from cosearch.search.parameters import ParameterSpace
from cosearch.validate.compare import Figures, Point, Rejected, Report, validate


@frozen
class Section:
    """Points that are scored together.

    Attributes:
        name: of the set, for people.
        points: cases and what is known of them.
        model: that is compared with them.
        names: what the field calls a score, for `--json` to print it under that name too:
            `{"sram_exact": "counts_exact"}`.
    """

    name: str
    points: Sequence[Point[Any]]
    model: Callable[[Any], Figures | Rejected]
    names: Mapping[str, str] = field(factory=dict)

    def report(self) -> Report:
        """Run the model on every point."""
        return validate(self.points, self.model, self.name)


class Reference(ABC):
    """Knows how a set of published figures is laid out in files.

    A plugin registers one with the hook `cosearch_references`; `cosearch validate NAME DIR` then
    finds it.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(())

    @abstractmethod
    def read(self, path: Path) -> tuple[Section, ...]:
        """Read a directory, or one file of it.

        Returns:
            Sections, the most important first: its scores are the ones that `--json` prints on
            top. A section without points is left out, and there is at least one.

        Raises:
            InputError: with file and line, where the data cannot be understood.
        """
