"""Draw what the terminal shows, at 80 and 120 columns, and plots, into docs/pictures/*.svg.

python tools/pictures.py            # all of them, in about a minute once compiled
python tools/pictures.py sweep      # one of them
python tools/pictures.py live plots # what the demo shows while it runs; its study as plots

Each command runs as it is written, in a store that is thrown away; times are those of the run.
"""

import io
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cosearch.api.progress import LiveProgress
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.registry.registration import hookimpl
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run

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

DEMO = "resnet18 -H gemmini -s evolutionary --constraint 'area_mm2<=baseline' --seed 0"

SMALL = "area_mm2<=baseline"

SEEN = 24
"""Trials of the demo after which its live screen is drawn."""

PLOTS = ("roofline", "convergence", "energy")


class Screen(LiveProgress):
    """The display of a running study, as it stands after some trials."""

    def __init__(self, width):
        self.console = recording(width)
        super().__init__(self.console)
        self.told = 0

    @hookimpl
    def cosearch_trial_finished(self, trial):
        """Take in a trial; draw what is shown after the one that is asked for."""
        super().cosearch_trial_finished(trial)
        self.told += 1
        if self.told == SEEN:
            self.console.print(self.lines())


def live():
    """Draw what the demo shows amid its run."""
    screens = {width: Screen(width) for width in WIDTHS}
    registry = load_registry(third_party=False)
    for screen in screens.values():
        screen.console.print(Text(f"$ cosearch run {DEMO} --trials 40", style="bold"))
        registry.manager.register(screen)
    problem = plan(registry, "resnet18", "gemmini", "evolutionary", constraints=[SMALL])
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "s.db") as store:
        run(open_study(store, registry, problem, Budget(trials=40), "demo"), store, registry)
    for width, screen in screens.items():
        svg = screen.console.export_svg(title="cosearch", unique_id=f"live-{width}")
        written(f"live-{width}", svg)


def plots():
    """Draw the demo's study as `cosearch plot` does."""
    with tempfile.TemporaryDirectory() as folder:
        shown(f"cosearch run {DEMO} --trials 40 --study demo", 80, folder)
        for what in PLOTS:
            shown(f"cosearch plot demo --what {what} -o {what}.svg", 80, folder)
            written(what, (Path(folder) / f"{what}.svg").read_text(encoding="utf-8"))


def written(name, svg):
    """Write a picture, and say so."""
    path = PICTURES / f"{name}.svg"
    path.write_text("\n".join(map(str.rstrip, svg.splitlines())) + "\n", encoding="utf-8")
    print(path, flush=True)


def recording(width):
    """Return a terminal that remembers what it shows."""
    return Console(record=True, width=width, file=io.StringIO(), force_terminal=True)


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
    console = recording(width)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(text), end="")
    return console.export_svg(title="cosearch", unique_id=f"{name}-{width}")


OTHERS = {"live": live, "plots": plots}


def main():
    """Draw those that are named, or all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or [*COMMANDS, *OTHERS]:
            if name in OTHERS:
                OTHERS[name]()
                continue
            for width in WIDTHS:
                text = shown(COMMANDS[name], width, folder)
                written(f"{name}-{width}", drawn(name, COMMANDS[name], width, text))


if __name__ == "__main__":
    main()
