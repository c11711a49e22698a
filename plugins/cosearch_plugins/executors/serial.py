"""One design after the other, in the process that asks."""

from __future__ import annotations

from collections.abc import Sequence

from cosearch.study.executor import Design, Executor, Outcomes


class Serial(Executor):
    """Starts at once and shares everything; nothing interrupts a design that hangs."""

    elsewhere = False

    def run(self, designs: Sequence[Design]) -> Outcomes:
        """Yield each design with its outcome, in order."""
        for design in designs:
            yield design, self.task(design)
