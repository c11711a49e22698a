import io

import pytest
import typer
from rich.console import Console

from cosearch.cli import main
from cosearch.cli.errors import BUG, report, verdict_of
from cosearch.errors import CosearchError, InputError, MissingExtraError, UnknownNameError


def shown(error, **options):
    console = Console(file=io.StringIO(), width=200)
    code = report(error, console, **options)
    return code, console.file.getvalue()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CosearchError("it is so", "do this"), "error: it is so\ndo this\n"),
        (CosearchError("it is so"), "error: it is so\nmore: docs/errors.md#cosearcherror\n"),
        (
            InputError("a.yaml:3", ["layer.K: is not a whole number", "layer.C: is missing"]),
            (
                "error: a.yaml:3:\n  layer.K: is not a whole number\n  layer.C: is missing\n"
                "more: docs/errors.md#inputerror\n"
            ),
        ),
        (
            UnknownNameError("cat", "tm", ["tom"]),
            "error: there is no cat 'tm'\ndid you mean 'tom'?\n",
        ),
        (
            MissingExtraError("x", "onnx"),
            "error: x needs an optional package\ninstall it: pip install 'cosearch[onnx]'\n",
        ),
        (
            FileNotFoundError(2, "No such file", "net.yaml"),
            "error: there is no such file: net.yaml\n",
        ),
        (
            IsADirectoryError(21, "Is a directory", "x"),
            "error: this is a directory, not a file: x\n",
        ),
        (OSError(28, "No space left on device", "/x"), "error: /x: No space left on device\n"),
    ],
)
def test_what_the_user_can_put_right_is_a_sentence_and_the_next_step(error, text):
    assert shown(error) == (2, text)


def test_a_question_not_answered_with_yes_is_no_bug():
    assert shown(typer.Abort())[0] == 1


def test_markup_in_a_message_is_text():
    assert shown(CosearchError("[bold]x[/bold] [/]", "do"))[1] == "error: [bold]x[/bold] [/]\ndo\n"


def test_anything_else_is_a_bug_that_names_itself():
    try:
        {}["missing"]
    except KeyError as error:
        code, text = shown(error)
    assert code == BUG
    assert text.startswith("error: this is a bug: KeyError: 'missing'")
    assert "test_errors.py" in text
    assert "--debug" in text
    assert "Traceback" not in text


def test_debug_adds_the_traceback():
    assert "Traceback" in shown(_raised(), debug=True)[1]


def _raised():
    try:
        int("x")
    except ValueError as error:
        return error
    raise AssertionError


def test_ctrl_c_ends_with_130(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("cosearch.cli.app.load_registry", lambda *_, **__: interrupted())
    assert main(["list"]) == 130


def test_every_error_class_of_the_engine_ends_with_code_two():
    import cosearch.errors as errors

    classes = [
        c for c in vars(errors).values() if isinstance(c, type) and c.__module__ == errors.__name__
    ]
    assert classes
    assert all(issubclass(c, CosearchError) for c in classes)
    assert verdict_of(CosearchError("x")).code == 2
