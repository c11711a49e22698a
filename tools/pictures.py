"""Draw what the terminal shows, at 80 and 120 columns, into docs/pictures/*.svg.

python tools/pictures.py            # all of them, in about a minute once compiled
python tools/pictures.py sweep      # one of them

Each command runs as it is written, in a store that is thrown away; times are those of the run.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"

WIDTHS = (80, 120)

COMMANDS = {
    "run": "cosearch run resnet18 -H gemmini --constraint 'area_mm2<=baseline' --trials 40",
    "sweep": "cosearch sweep resnet18 -H gemmini scratchpad_kb=16,32,64,96,128,256",
    "compare": "cosearch compare bert-base -H gemmini -s random -s evolutionary -s bayesian "
    "--seeds 4 --trials 16",
    "machines": "cosearch compare alexnet:conv3 -H eyeriss -H gemmini -H nvdla",
}
"""The second time that a search is asked for, its stored report is shown."""


def shown(command, width, folder):
    """Return what a command prints on a terminal of that width, with its colours."""
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "COLUMNS": str(width), "FORCE_COLOR": "1", "COSEARCH_NO_PLUGINS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return done.stdout.decode()


def drawn(name, command, width, text):
    """Return a terminal as SVG."""
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=width, file=nowhere, force_terminal=True)
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(text), end="")
        return console.export_svg(title="cosearch", unique_id=f"{name}-{width}")


def main():
    """Draw those that are named, or all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or COMMANDS:
            for width in WIDTHS:
                text = shown(COMMANDS[name], width, folder)
                path = PICTURES / f"{name}-{width}.svg"
                path.write_text(drawn(name, COMMANDS[name], width, text), encoding="utf-8")
                print(path, flush=True)


if __name__ == "__main__":
    main()
