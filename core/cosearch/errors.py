"""What can go wrong, as classes that hold the facts and say what to do about them."""

from __future__ import annotations

import difflib
import os
import re
import signal
from collections.abc import Iterable, Mapping
from opcode import opmap
from pathlib import Path

from cosearch.origin import origin


class CosearchError(Exception):
    """Something the user can put right: shown as one message, never as a traceback.

    Attributes:
        hint: what to do next; an empty string when the message already says it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UnknownNameError(CosearchError):
    """A name that nothing has registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        super().__init__(f"there is no {kind} {name!r}", near_names(name, self.known))


class InputError(CosearchError):
    """A file or an option that cannot be understood.

    Attributes:
        source: the file (with the line, where known) or the option.
        problems: every problem found, each naming its field.
    """

    def __init__(self, source: str, problems: Iterable[str], hint: str = "") -> None:
        self.source, self.problems = source, tuple(problems)
        one = len(self.problems) == 1
        told = f" {self.problems[0]}" if one else "".join(f"\n  {p}" for p in self._shown)
        super().__init__(f"{source}:{told}", hint)

    @property
    def _shown(self) -> tuple[str, ...]:
        left = len(self.problems) - MOST_PROBLEMS
        more = (f"and {left} more like these",) if left > 0 else ()
        return self.problems[:MOST_PROBLEMS] + more


MOST_PROBLEMS = 20
"""That one message shows; a generated file has the same one on every line."""


class Infeasible(CosearchError):  # noqa: N818 - a verdict on a design, not a fault
    """A design that cannot be built, or a layer that fits nowhere on it.

    Attributes:
        reason: why, in words.
        margins: by how much each violated rule is missed, as used / allowed (> 1), by rule.
    """

    def __init__(
        self, reason: str, margins: Mapping[str, float] | None = None, hint: str = ""
    ) -> None:
        self.reason, self.margins = reason, dict(margins or {})
        super().__init__(reason, hint)


class MissingExtraError(CosearchError):
    """An optional dependency that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f"{what} needs an optional package", f"install it: pip install 'cosearch[{extra}]'"
        )


class PluginError(CosearchError):
    """A plugin that broke its contract; the message names the plugin."""


def pass_on(error: BaseException) -> None:
    """Raise an exception again that no plugin is to blame for; return where one is.

    Called first by whoever catches everything that a plugin may raise. A plugin is to blame for
    everything, SystemExit too, but a KeyboardInterrupt that a signal raised.
    """
    if isinstance(error, KeyboardInterrupt | GeneratorExit) and not _by_hand(error):
        raise error


def _by_hand(error: BaseException) -> bool:
    """Return whether a `raise` raised it, in code that is no handler of a signal."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code = trace.tb_frame.f_code
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers = [getattr(signal.getsignal(number), "__code__", None) for number in numbers]
    raises = code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]
    return raises and code not in handlers


def broken(
    kind: str, name: str, verb: str, error: BaseException, culprit: object = None
) -> PluginError:
    """Return the error that says which plugin raised what.

    Args:
        kind: of the plugin.
        name: of the plugin.
        verb: the method.
        error: what it raised.
        culprit: the object or class that was called, whose distribution is named.
    """
    whose = "" if culprit is None else f" {origin(culprit)}"
    return PluginError(
        f"{kind} {name!r}{whose} raised {type(error).__name__} in {verb}: {text_of(error)}"
    )


MOST_TEXT = 2000
"""Characters of somebody else's message that are kept."""


def text_of(error: BaseException) -> str:
    """Return an exception's message in one printable line; it may be anybody's."""
    try:
        text = str(error)
    except Exception:
        return "(its message cannot be made)"
    text = printable(" ".join(text.split()))
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} ..."


_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text with control characters and halves of pairs spelled out: escape as `x1b`.

    A terminal would take an escape from a file or a plugin for a command; a store cannot keep a
    surrogate.
    """
    return _ODD.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(error: BaseException) -> str:
    """Return an exception as one line: its message and hint, or its class and message."""
    text = text_of(error)
    if isinstance(error, CosearchError):
        return f"{text}; {error.hint}" if error.hint else text
    return f"{type(error).__name__}: {text}"


MOST_NAMES = 60
"""That one message lists."""


def near_names(name: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x' or 'y'?`, or what there is when nothing is near."""
    known = sorted(known)
    folded = {k.lower(): k for k in known}
    near = [folded[k] for k in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.55)]
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if not known:
        return "nothing of that kind is registered"
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return f"there is: {', '.join(known[:MOST_NAMES])}{more}"


def expanded(text: str | Path) -> Path:
    """Return a path with a leading `~` or `~name` replaced; nobody's stays as it is written."""
    try:
        return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises for nobody's
    except ValueError:  # a name that no system could have, such as one with a NUL
        return Path(text)
