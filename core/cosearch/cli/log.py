"""What the engine logs, shown as a command's notes and warnings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from cosearch.cli.output import Output


class _ToOutput(logging.Handler):
    def __init__(self, output: Output) -> None:
        super().__init__(logging.INFO)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        show = self._output.warn if record.levelno >= logging.WARNING else self._output.note
        show(record.getMessage())


@contextmanager
def log_shown(output: Output) -> Iterator[None]:
    """Show what the engine logs while a command runs: that it compiles its kernel, for one."""
    logger, handler = logging.getLogger("cosearch"), _ToOutput(output)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
