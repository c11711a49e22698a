"""The engine's log on the terminal."""

import logging

from cosearch.cli.log import log_shown
from cosearch.cli.output import Output


def test_notes_and_warnings_go_to_standard_error(capsys):
    with log_shown(Output()):
        logging.getLogger("cosearch.loopnest").info("compiling")
        logging.getLogger("cosearch").warning("slow")
    logging.getLogger("cosearch").info("after")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "compiling" in shown.err
    assert "slow" in shown.err
    assert "after" not in shown.err


def test_quiet_silences_notes(capsys):
    with log_shown(Output(quiet=True)):
        logging.getLogger("cosearch").info("compiling")
    assert "compiling" not in capsys.readouterr().err
