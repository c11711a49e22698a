"""The application: one module a command, put together when the command line is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import Annotated, Any

import typer
from attrs import frozen
from typer.main import get_command, get_command_name

from cosearch.cli.errors import INTERRUPTED, READER_LEFT, report
from cosearch.cli.help import Group, dress
from cosearch.cli.interruption import Interruption
from cosearch.cli.log import log_shown
from cosearch.cli.output import Output
from cosearch.cli.prints import prints_logged
from cosearch.cli.session import Session
from cosearch.errors import CosearchError, PluginError
from cosearch.hooks.discovery import load_registry
from cosearch.registry.announce import announce
from cosearch.registry.registry import Registry

COMMANDS = (
    "run",
    "studies",
    "report",
    "compare",
    "map",
    "evaluate",
    "validate",
    "export_workload",
    "list",
    "show",
    "doctor",
    "warmup",
)
"""Modules `cosearch.cli.<name>` with a `register(app)`, in the order of `--help`."""

INTRODUCTION = """\
Finds neural accelerators and the way to run networks on them, together.

Name a workload, a hardware model and a strategy; cosearch searches the hardware's parameters and
a loop-nest mapping of every layer, and shows what it found, how good it is, and why.
"""

FIRST_STEPS = """\
Try this first:
    cosearch run resnet18 -H eyeriss --trials 20  # hardware and mappings together
    cosearch map alexnet:conv2 -H eyeriss  # the best way to run one layer
    cosearch list  # everything there is to name
"""


@frozen
class Flags:
    """Switches that every command understands, wherever they stand on the line."""

    debug: bool = False
    trace: bool = False
    quiet: bool = False
    plugins: tuple[str, ...] = ()

    @classmethod
    def take(cls, arguments: Sequence[str]) -> tuple[Flags, list[str]]:
        """Split a command line into the switches and everything else; `--` ends the search."""
        arguments, plugins = _plugins(arguments)
        end = arguments.index("--") if "--" in arguments else len(arguments)
        switches = {"--debug": "debug", "--trace": "trace", "--quiet": "quiet", "-q": "quiet"}
        given: dict[str, Any] = {switches[a]: True for a in arguments[:end] if a in switches}
        rest = [a for a in arguments[:end] if a not in switches]
        for name in ("debug", "trace"):
            if os.environ.get(f"COSEARCH_{name.upper()}"):
                given[name] = True
        return cls(plugins=plugins, **given), rest + list(arguments[end:])


def _plugins(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Take `--plugins PATH` and `--plugins=PATH` off a line; return the rest, and the paths."""
    rest: list[str] = []
    found: list[str] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        flag, equals, path = word.partition("=")
        if flag == "--plugins" and not equals and not left:
            raise CosearchError("--plugins names no file", "write: --plugins FILE.py")
        if flag == "--plugins":
            found.append(path if equals else left.pop(0))
        elif word == "--":
            return [*rest, word, *left], tuple(found)
        else:
            rest.append(word)
    return rest, tuple(found)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line to its end and return the exit code."""
    _replace_what_the_terminal_cannot_show()
    try:
        flags, rest = Flags.take(sys.argv[1:] if arguments is None else arguments)
    except CosearchError as error:
        return report(error, Output().errors, debug=False)
    output = Output(quiet=flags.quiet)
    registry: Registry | None = None
    try:
        with log_shown(output):
            with prints_logged():
                tracer = _tracer(output) if flags.trace else None
                registry = load_registry(flags.plugins, trace=tracer)
                app = get_command(make_app(registry, output))
            session = Session(output, registry)
            with Interruption(), _prints(rest):
                code = app.main(rest, prog_name="cosearch", standalone_mode=False, obj=session)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (Exception, SystemExit) as error:
        if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
            return _reader_left()
        return report(error, output.errors, debug=flags.debug, registry=registry)
    return code if isinstance(code, int) else 0


def _reader_left() -> int:
    """Return the exit code where nobody reads the output any more, as behind `| head`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_LEFT


def _prints(arguments: Sequence[str]) -> AbstractContextManager[None]:
    """Return what a command runs in: prints are a plugin's, but for help and its own commands."""
    names = [name.replace("_", "-") for name in COMMANDS]
    ours = {"resume", "rescore", "export", *names} & set(arguments[:1])
    return prints_logged() if ours and not {"--help", "-h"} & set(arguments) else nullcontext()


def make_app(registry: Registry, output: Output) -> typer.Typer:
    """Return the application with its own commands and those of plugins."""
    app = typer.Typer(
        name="cosearch",
        cls=Group,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=FIRST_STEPS,
    )
    app.callback(invoke_without_command=True, help=INTRODUCTION)(_root)
    for name in COMMANDS:
        importlib.import_module(f"cosearch.cli.{name}").register(app)
    for complaint in announce(registry.manager, "cosearch_commands", app=app):
        output.warn(complaint)
    _refuse_doubles(app)
    dress(app)
    return app


def _refuse_doubles(app: typer.Typer) -> None:
    """Raise PluginError where a plugin adds a command that exists: the later would win unseen."""
    names = [
        info.name or get_command_name(info.callback.__name__)
        for info in app.registered_commands
        if info.callback is not None
    ]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise PluginError(
            f"plugins add the command {double!r} twice, or beside cosearch's own",
            "see which with --trace; COSEARCH_NO_PLUGINS=1 leaves out all but the built-ins",
        )


def _tracer(output: Output) -> Callable[[str], None]:
    return lambda line: output.note(f"trace: {line}")


def _root(
    ctx: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", show_default=False)
    ] = False,
    debug: Annotated[  # noqa: ARG001 - taken off the line before; here for --help
        bool, typer.Option("--debug", help="Show the traceback of an error.", show_default=False)
    ] = False,
    trace: Annotated[  # noqa: ARG001
        bool, typer.Option("--trace", help="Show every call of a plugin.", show_default=False)
    ] = False,
    plugins: Annotated[  # noqa: ARG001
        str,
        typer.Option(
            "--plugins",
            metavar="PATH",
            help="A .py file with plugins, or a folder of them; may be repeated.",
            show_default=False,
        ),
    ] = "",
    quiet: Annotated[  # noqa: ARG001
        bool, typer.Option("--quiet", "-q", help="No notes, no progress.", show_default=False)
    ] = False,
) -> None:
    if show_version:
        ctx.obj.output.show(f"cosearch {version('cosearch')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit


def _replace_what_the_terminal_cannot_show() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
