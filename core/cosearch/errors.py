"""What can go wrong, as classes that hold the facts and say what to do about them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


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
        told = f" {self.problems[0]}" if one else "".join(f"\n  {p}" for p in self.problems)
        super().__init__(f"{source}:{told}", hint)


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


def broken(kind: str, name: str, verb: str, error: Exception) -> PluginError:
    """Return the error that says which plugin raised what."""
    text = " ".join(str(error).split())
    return PluginError(f"{kind} {name!r} raised {type(error).__name__} in {verb}: {text}")


def one_line(error: BaseException) -> str:
    """Return an exception as one line: its message and hint, or its class and message."""
    text = " ".join(str(error).split())
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
