"""The look of `--help`: headings and columns, no boxes; examples as they are typed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer
from rich.console import RenderableType
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from cosearch.cli.errors import missing
from cosearch.cli.output import Output, table
from cosearch.errors import UnknownNameError

COMMON = "Commands"
"""Panel of commands that name none; plugins' commands come here."""


SUMMARY = 200
"""Characters of a command's first sentence that are shown beside its name."""


class Command(TyperCommand):
    """A command whose help is drawn here."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - vendored types
        """Write the whole help text."""
        formatter.write(
            _rendered([*_usage(self, ctx), *_prose(self.help), *_parameters(self, ctx)])
        )


class Group(TyperGroup):
    """The program itself: its commands stand in panels."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - vendored types
        """Return the command that the arguments name, or raise UnknownNameError."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownNameError("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - vendored types
        """Write the whole help text."""
        first, rest = _prose(self.help), _prose(self.epilog)
        parts = [*_usage(self, ctx), *first, *rest, *_panels(self, ctx), *_parameters(self, ctx)]
        if ctx.obj and (told := missing(ctx.obj.registry)):
            parts.append(Text(told, style="warn"))
        formatter.write(_rendered(parts))


def dress(app: typer.Typer) -> None:
    """Give every command of an application this look, those of plugins too."""
    for info in app.registered_commands:
        if info.cls is None or info.cls is TyperCommand:
            info.cls = Command
        if info.help is None and info.callback is not None:
            info.help = inspect.getdoc(info.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            dress(group.typer_instance)


def _rendered(parts: list[RenderableType]) -> str:
    console = Output().console
    if console.width > 100:
        console.width = 100
    with console.capture() as captured:
        for part in parts:
            console.print(part, markup=False, highlight=False)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _usage(command: Command | Group, ctx: Any) -> Iterator[RenderableType]:  # noqa: ANN401
    arguments = [
        _metavar(p) if p.required else f"[{_metavar(p)}]"
        for p in command.get_params(ctx)
        if p.param_type_name == "argument"
    ]
    tail = ["COMMAND ..."] if isinstance(command, Group) else arguments
    line = " ".join(["", "[options]", *tail])
    yield Text.assemble(("usage: ", "faint"), (ctx.command_path, "title"), line)
    yield ""


def _metavar(parameter: Any) -> str:  # noqa: ANN401
    return str(parameter.metavar or parameter.name.upper())


def _prose(text: str | None) -> Iterator[RenderableType]:
    """Yield paragraphs, filled; one that starts with a line ending in a colon is a list."""
    for paragraph in inspect.cleandoc(text or "").split("\n\n"):
        head, *lines = paragraph.splitlines() or [""]
        if head.endswith(":") and lines:
            yield Text(head[:-1], style="title")
            yield table(("", "~"), [_example(line.strip()) for line in lines])
            yield ""
        elif head:
            yield Text(" ".join([head, *lines]))
            yield ""


def _example(line: str) -> tuple[str, str]:
    command, _, remark = line.partition("  # ")
    return command, remark


def _panels(group: Group, ctx: Any) -> Iterator[RenderableType]:  # noqa: ANN401
    panels: dict[str, list[tuple[str, str]]] = {}
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        panel = getattr(command, "rich_help_panel", None)
        panel = panel if isinstance(panel, str) else COMMON
        panels.setdefault(panel, []).append((name, command.get_short_help_str(SUMMARY)))
    widths = [len(name) for rows in panels.values() for name, _ in rows]
    for panel, rows in panels.items():
        yield Text(panel, style="title")
        yield table(("", ""), [(name.ljust(max(widths)), about) for name, about in rows])
        yield ""


def _parameters(command: Command | Group, ctx: Any) -> Iterator[RenderableType]:  # noqa: ANN401
    for heading, kind in (("Arguments", "argument"), ("Options", "option")):
        records = [
            (_metavar(param) if kind == "argument" else record[0], _in_words(record[1]))
            for param in command.get_params(ctx)
            if param.param_type_name == kind
            and not getattr(param, "hidden", False)
            and (record := param.get_help_record(ctx)) is not None
        ]
        if records:
            yield Text(heading, style="title")
            yield table(("", ""), [(_aligned(names), about) for names, about in records])
            yield ""


def _in_words(about: str) -> str:
    """Return a description with its range in words: `at least 1` for `x>=1`."""
    return re.sub(r"x>=([\d.]+)", lambda m: f"at least {float(m[1]):g}", about)


def _aligned(names: str) -> str:
    """Set long option names below each other whether they have a short one or not."""
    long_only = names.startswith("--")
    return f"    {names}" if long_only else names
