"""What plugins print while one of cosearch's own commands runs: shown as notes, never results."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

LOGGER = logging.getLogger("cosearch.plugins")


class Lines(io.TextIOBase):
    """A text stream that logs each line."""

    def __init__(self) -> None:
        self._begun = ""

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that end in a text."""
        *whole, self._begun = (self._begun + text).split("\n")
        for line in filter(str.strip, whole):
            LOGGER.info("a plugin prints: %s", line.rstrip())
        return len(text)

    def end(self) -> None:
        """Log a line that was begun."""
        if self._begun:
            self.write("\n")


@contextmanager
def prints_logged() -> Iterator[None]:
    """Log what is printed, except by a command's `Output`, which keeps the stream it was made with.

    Code that writes to the descriptor itself, as C does, is not reached; in a worker process that
    is standard error's.
    """
    lines = Lines()
    sys.stdout.flush()
    with redirect_stdout(lines):
        try:
            yield
        finally:
            lines.end()
