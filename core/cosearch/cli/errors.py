"""One table from exception to a sentence, the next step, and an exit code.

Commands and the code below them just raise. Anything a user can put right is a `CosearchError`
and ends as one message with exit code 2; anything else is a fault of ours or of a plugin and ends
as one line that names it, with exit code 70; `--debug` adds the traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from attrs import frozen
from rich.console import Console
from rich.text import Text
from typer.exceptions import Abort, TyperException

from cosearch.errors import CosearchError, near_names

USAGE = 2
"""Exit code of everything the user can put right."""

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""

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


def _known(error: Exception) -> Verdict:
    return Verdict(str(error), getattr(error, "hint", ""))


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


def verdict_of(error: BaseException) -> Verdict:
    """Return what to tell the user about an exception."""
    for kind, verdict in VERDICTS:
        if isinstance(error, Exception) and isinstance(error, kind):
            return verdict(error)
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({last[0].filename}:{last[0].lineno}, in {last[0].name})" if last else ""
    text = " ".join(str(error).split())
    return Verdict(
        f"this is a bug: {type(error).__name__}: {text}{where}",
        "run it again with --debug for the traceback, and report it",
        BUG,
    )


def report(error: BaseException, console: Console, *, debug: bool = False) -> int:
    """Print the verdict on a console and return the exit code."""
    verdict = verdict_of(error)
    if debug:
        console.print(Text("".join(traceback.format_exception(error)).rstrip(), style="faint"))
    piped = not console.is_terminal
    console.print(Text.assemble(("error: ", "bold red"), verdict.message), soft_wrap=piped)
    if verdict.hint:
        console.print(Text(verdict.hint, style="faint"), soft_wrap=True)
    return verdict.code
