import re

import pytest
import typer
from typer.main import get_command

from cosearch.cli.help import Command, Group, dress


def helped(register, *, name="tool"):
    app = typer.Typer(
        cls=Group, rich_markup_mode=None, add_completion=False, epilog="Try:\n    tool x"
    )
    app.callback(help="A tool.\n\nIt does things.")(lambda: None)
    register(app)
    dress(app)
    group = get_command(app)
    context = typer.Context(group, info_name=name)
    command = next(iter(group.commands.values()))
    return group.get_help(context), command.get_help(
        typer.Context(command, info_name="go", parent=context)
    )


def go(where: str, times: int = typer.Option(1, min=1, help="How often.")):
    """Go there [and back].

    Slowly, and over
    two lines.

    Examples:
        tool go home  # the usual
    """


def test_the_program_shows_prose_examples_commands_and_options_in_this_order():
    whole, _ = helped(lambda app: app.command("go", rich_help_panel="Moves")(go))
    parts = [
        "usage: tool [options] COMMAND ...",
        "A tool.",
        "It does things.",
        "Try\n",
        "  tool x",
        "Moves\n",
        "  go  Go there [and back].",
        "Options\n",
    ]
    positions = [whole.index(part) for part in parts]
    assert positions == sorted(positions)


def test_a_command_shows_its_docstring_as_text_and_its_examples_as_typed():
    _, one = helped(lambda app: app.command("go")(go))
    assert "usage: tool go [options] WHERE" in one
    assert "Slowly, and over two lines." in one
    assert re.search(r"Examples\n  tool go home +the usual\n", one)


def test_ranges_are_told_in_words():
    _, one = helped(lambda app: app.command("go")(go))
    assert "How often.  [default: 1; at least 1]" in one


def test_no_line_ends_in_blanks():
    for text in helped(lambda app: app.command("go")(go)):
        assert not re.search(r" $", text, re.MULTILINE)


def test_commands_that_name_no_panel_have_one_of_their_own():
    whole, _ = helped(lambda app: app.command("go")(go))
    assert "Commands\n  go  " in whole


@pytest.mark.parametrize("hidden", [True, False])
def test_hidden_commands_are_not_shown(hidden):
    whole, _ = helped(lambda app: app.command("go", hidden=hidden)(go))
    assert ("go  Go there" in whole) is not hidden


def test_commands_of_plugins_are_dressed_too():
    app = typer.Typer()
    app.command("go")(go)
    dress(app)
    assert app.registered_commands[0].cls is Command
