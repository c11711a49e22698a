"""One table from exception to a sentence, the next step, and an exit code.

Commands and the code below them just raise. Anything a user can put right is a `CosearchError`
and ends as one message with exit code 2, and so does an exception out of a plugin, which is named
with its distribution; anything else is a fault of ours and ends as one line with exit code 70.
`--debug` adds the traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen
from rich.console import Console
from rich.text import Text
from typer.exceptions import Abort, TyperException

from cosearch.errors import CosearchError, PluginError, UnknownNameError, near_names
from cosearch.registry.origins import distribution_of
from cosearch.registry.registry import Registry

USAGE = 2
"""Exit code of everything the user can put right."""

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

READER_LEFT = 141
"""Exit code where nobody reads the output any more: 128 + SIGPIPE, likewise."""

BUG = 70
"""Exit code of an exception that nobody foresaw (EX_SOFTWARE of sysexits.h)."""


@frozen
class Verdict:
    """What to tell the user.

    Attributes:
        message: what is wrong.
        hint: what to do next; may be empty.
        code: the exit code.
    """

    message: str
    hint: str
    code: int = USAGE


DEBUG = "run it again with --debug for the traceback"


def _known(error: Exception) -> Verdict:
    hint = getattr(error, "hint", "")
    if isinstance(error, PluginError) and error.__cause__ is not None:
        hint = f"{hint}; {DEBUG}" if hint else DEBUG
    return Verdict(str(error), hint)


def _usage(error: Exception) -> Verdict:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "cosearch"
    if context is not None and hasattr(error, "possibilities"):
        return _unknown_option(path, error)
    message = error.format_message() if isinstance(error, TyperException) else str(error)
    message = message.replace("Input should be", "it should be").partition(", unable to")[0]
    return Verdict(_lower(message), f"see: {path} --help")


def _unknown_option(path: str, error: Any) -> Verdict:  # noqa: ANN401 - typer hides its class
    parameters = error.ctx.command.get_params(error.ctx)
    known = [name for p in parameters for name in p.opts if name.startswith("--")]
    hint = near_names(error.option_name, known)
    return Verdict(f"{path} has no option {error.option_name!r}", hint)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _file(what: str, hint: str = "") -> Callable[[Exception], Verdict]:
    def verdict(error: Exception) -> Verdict:
        name = getattr(error, "filename", None)
        return Verdict(f"{what}: {name}" if name else f"{what}: {error}", hint)

    return verdict


def _os(error: Exception) -> Verdict:
    name = getattr(error, "filename", None)
    why = getattr(error, "strerror", None) or str(error)
    return Verdict(f"{name}: {why}" if name else why, "")


def _abort(_: Exception) -> Verdict:
    return Verdict("stopped: the question was not answered with yes", "", 1)


def _memory(_: Exception) -> Verdict:
    return Verdict("out of memory", "search a smaller space, or with fewer workers")


VERDICTS: tuple[tuple[type[Exception], Callable[[Exception], Verdict]], ...] = (
    (CosearchError, _known),
    (Abort, _abort),
    (TyperException, _usage),
    (FileNotFoundError, _file("there is no such file")),
    (IsADirectoryError, _file("this is a directory, not a file")),
    (NotADirectoryError, _file("a part of this path is not a directory")),
    (PermissionError, _file("no permission", "check who owns the file and its directory")),
    (FileExistsError, _file("this file exists already")),
    (OSError, _os),
    (MemoryError, _memory),
)
"""The first row that fits decides."""


def verdict_of(error: BaseException, registry: Registry | None = None) -> Verdict:
    """Return what to tell the user about an exception.

    Args:
        error: that nobody caught.
        registry: knows the plugins; None where it could not be made.
    """
    for kind, verdict in VERDICTS:
        if isinstance(error, Exception) and isinstance(error, kind):
            return _with_missing(verdict(error), error, registry)
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1:]
    where = f" ({last[0].filename}:{last[0].lineno}, in {last[0].name})" if last else ""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
    whose = None if registry is None else distribution_of([f.filename for f in frames], registry)
    if whose is not None:
        return Verdict(f"a plugin of {whose} raised {said}", DEBUG)
    return Verdict(f"this is a bug: {said}", f"{DEBUG}, and report it", BUG)


def _with_missing(verdict: Verdict, error: Exception, registry: Registry | None) -> Verdict:
    """Return the verdict on a name that is not known, with the plugins that may have had it."""
    if registry is None or not registry.quarantined or not isinstance(error, UnknownNameError):
        return verdict
    return evolve(verdict, hint=f"{verdict.hint}\n{missing(registry)}".strip())


def missing(registry: Registry) -> str:
    """Return which plugins could not be loaded, in a line; empty where all could."""
    names = ", ".join(f"{q.name} of {q.distribution}" for q in registry.quarantined)
    if not names:
        return ""
    return f"names are missing of what could not be loaded: {names}; see: cosearch doctor"


def report(
    error: BaseException,
    console: Console,
    *,
    debug: bool = False,
    registry: Registry | None = None,
) -> int:
    """Print the verdict on a console and return the exit code."""
    verdict = verdict_of(error, registry)
    if debug:
        console.print(Text("".join(traceback.format_exception(error)).rstrip(), style="faint"))
    piped = not console.is_terminal
    console.print(Text.assemble(("error: ", "bold red"), verdict.message), soft_wrap=piped)
    if hint := verdict.hint or _section(error):
        console.print(Text(hint, style="faint"), soft_wrap=True)
    return verdict.code


def _section(error: BaseException) -> str:
    """Return where the page of errors has more, for a message that says not what to do."""
    for kind in type(error).__mro__:
        if kind.__module__ == CosearchError.__module__ and issubclass(kind, CosearchError):
            return f"more: docs/errors.md#{kind.__name__.lower()}"
    return ""
