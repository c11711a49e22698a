"""Output that nobody reads to its end is no bug."""

import subprocess
import sys


def test_a_reader_that_leaves_ends_the_program_quietly():
    command = [sys.executable, "-m", "cosearch", "show", "hardware", "eyeriss"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        program.stdout.close()
        said = program.stderr.read()
    assert program.returncode == 141
    assert said == b""
