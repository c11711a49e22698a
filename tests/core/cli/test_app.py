import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.main import get_command

from cosearch.cli.app import Flags, make_app, run
from cosearch.cli.output import Output
from cosearch.hooks.discovery import load_registry

SLOW = ("numba", "llvmlite", "scipy", "yaml", "sqlite3", "multiprocessing", "onnx", "torch")


def all_commands():
    return get_command(make_app(load_registry(third_party=False), Output())).commands


def test_without_arguments_there_is_help(cosearch):
    bare, asked = cosearch(), cosearch("--help")
    assert (bare.code, asked.code) == (0, 0)
    assert bare.out == asked.out
    assert bare.err == ""


def test_help_teaches_a_first_command_and_names_every_command(cosearch):
    out = cosearch("--help").out
    assert "cosearch run resnet18 -H eyeriss" in out
    assert {"map", "list", "show", "doctor"} <= {
        line.split()[0] for line in out.splitlines() if line
    }


def test_version(cosearch):
    assert cosearch("--version").out == f"cosearch {version('cosearch')}\n"


def test_a_misspelled_command_names_the_near_one(refused):
    assert refused("lst") == "error: there is no command 'lst'\ndid you mean 'list' or 'plot'?\n"


def test_a_misspelled_option_names_the_near_one(refused):
    assert refused("list", "--jsn") == (
        "error: cosearch list has no option '--jsn'\ndid you mean '--json'?\n"
    )


def test_a_missing_argument_says_which_and_where_to_read_on(refused):
    err = refused("show")
    assert "missing argument" in err
    assert "cosearch show --help" in err


@pytest.mark.parametrize("command", sorted(all_commands()))
def test_help_of_a_command_has_examples_and_explains_every_option(cosearch, command):
    out = cosearch(command, "--help").out
    assert f"  cosearch {command}" in out.split("Examples")[1]
    options = [row for row in out.split("Options\n")[1].splitlines() if re.match(r" *-", row)]
    assert options
    assert [row for row in options if not re.search(r"-\S+( \S+)? {2,}\w", row)] == []


def test_switches_are_understood_anywhere_on_the_line():
    flags, rest = Flags.take(["list", "--debug", "x", "-q", "--", "--trace"])
    assert flags == Flags(debug=True, quiet=True)
    assert rest == ["list", "x", "--", "--trace"]


def test_switches_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("COSEARCH_TRACE", "1")
    assert Flags.take(["list"]) == (Flags(trace=True), ["list"])


def test_trace_shows_hook_calls_on_standard_error_only(cosearch):
    result = cosearch("list", "strategies", "--trace", "--json")
    assert "trace: cosearch_strategies() of cosearch" in result.err
    assert {entry["kind"] for entry in result.json()} == {"strategies"}


def test_an_error_shows_its_traceback_only_with_debug(cosearch):
    assert "Traceback" not in cosearch("show", "hardware", "nothing").err
    assert "Traceback" in cosearch("show", "hardware", "nothing", "--debug").err


def test_a_plugin_command_that_breaks_is_a_warning(distribution, cosearch, monkeypatch):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import hookimpl

        @hookimpl
        def cosearch_commands(app):
            raise RuntimeError("no")
        """,
    )
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    result = cosearch("--version")
    assert result.code == 0
    assert "warning: acme 1.0:plugin failed in cosearch_commands: RuntimeError: no" in result.err


def test_a_plugin_cannot_replace_a_command(distribution, refused, monkeypatch):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import hookimpl

        @hookimpl
        def cosearch_commands(app):
            app.command("list")(print)
        """,
    )
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    assert "the command 'list'" in refused("--version")


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--json"], ["map", "--help"]])
def test_looking_around_imports_nothing_slow(arguments):
    program = (
        "import sys\n"
        "from cosearch.cli import main\n"
        f"code = main({arguments!r})\n"
        f"slow = sorted({{m.split('.')[0] for m in sys.modules}} & set({SLOW!r}))\n"
        "sys.exit(f'{code} {slow}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.strip().splitlines()[-1] == "0 []"


def test_a_reader_that_stops_reading_is_no_error():
    command = f"{sys.executable} -m cosearch list --json | head -n 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "[\n"
    assert done.stderr == ""


def test_a_terminal_without_unicode_is_no_error():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COSEARCH_NO_PLUGINS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "cosearch", "list"],
        capture_output=True,
        env=environment,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stderr == b""


def test_plugin_files_are_taken_off_the_line_wherever_they_stand():
    flags, rest = Flags.take(["run", "--plugins", "a.py", "net", "--plugins=b", "--", "--plugins"])
    assert flags.plugins == ("a.py", "b")
    assert rest == ["run", "net", "--", "--plugins"]


def test_a_plugin_file_that_is_not_there_ends_with_a_message(capsys):
    assert run(["list", "--plugins", "no-such-file.py"]) == 2
    assert "no-such-file.py" in capsys.readouterr().err
    assert run(["list", "--plugins"]) == 2
    assert "names no file" in capsys.readouterr().err
