import io

from cosearch.api.console import SafeConsole
from cosearch.cli.output import Output, as_json

NASTY = "\x1b]0;owned\x07 \x1b[2J \x9b31m \r over"


def test_a_terminal_takes_no_command_from_what_it_shows():
    stream = io.StringIO()
    console = SafeConsole(file=stream, force_terminal=True, width=200, highlight=False)
    console.print(f"[bold]{NASTY}[/bold]")
    shown = stream.getvalue()
    for code in ("\x1b]0;", "\x07", "\x1b[2J", "\x9b", "\r"):
        assert code not in shown
    assert "\\x1b]0;owned" in shown
    assert "\x1b[1m" in shown  # the console's own


def test_results_and_json_hold_no_escape(capsys):
    output = Output()
    output.show(NASTY)
    output.title(NASTY, NASTY)
    output.json({"name": NASTY})
    out = capsys.readouterr().out
    assert not any(c in out for c in "\x1b\x07\x9b\r")


def test_json_keeps_what_it_escapes():
    import json

    assert json.loads(as_json({"name": NASTY})) == {"name": NASTY}


def test_names_in_files_are_spelled_out(cosearch, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text('name: "\\e[31mnet"\nlayers:\n  - {name: "\\e]0;x\\a", gemm: [2, 3, 4]}\n')
    for command in (("show", path), ("map", path, "-H", "eyeriss"), ("list", "workloads")):
        result = cosearch(*command)
        assert "\x1b" not in result.out + result.err
