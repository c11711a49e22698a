"""How far from the exact optimum the loop of the scheme `rhnas` ends, seed by seed.

    python benchmarks/rhnas_seeds.py READING OBJECTIVE FLOOR [--table FILE] [--seeds 100 110]

A reading is one of `cosearch reproduce rhnas`, such as "asic <= 2x". Complete tables are kept in a
folder, as that command does.
"""

import argparse
from pathlib import Path

import numpy as np

from cosearch.hooks.discovery import load_registry
from cosearch_plugins.papers.rhnas.problems import Tabulated, limited, tables_of
from cosearch_plugins.papers.rhnas.readings import NETWORKS, READINGS
from cosearch_plugins.papers.rhnas.reproduce import OBJECTIVES
from cosearch_plugins.papers.rhnas.searches import CONTENDERS, score


def main() -> None:
    """Print the share of machines that can be built and the regrets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reading", choices=[reading.name for reading in READINGS])
    parser.add_argument("objective", choices=OBJECTIVES)
    parser.add_argument("floor", type=float)
    parser.add_argument("--table", default="", help="NAS-Bench-201's accuracies")
    parser.add_argument("--tables", default="~/.cache/cosearch/tables", help="folder")
    parser.add_argument("--seeds", nargs=2, type=int, default=(100, 110))
    parser.add_argument("--trials", type=int, default=1_000)
    asked = parser.parse_args()
    registry = load_registry()
    reading = next(r for r in READINGS if r.name == asked.reading)
    alike = [r for r in READINGS if r.device == reading.device]
    whole = max(alike, key=lambda r: (r.area, not r.bus))
    networks = f"{NETWORKS},table={asked.table}" if asked.table else NETWORKS
    folder = Path(asked.tables).expanduser()
    table = tables_of(registry, whole, OBJECTIVES, folder, print, networks)[asked.objective]
    problem = Tabulated(asked.reading, limited(table, reading), asked.floor)
    loop = next(c for c in CONTENDERS if c.name == "rhnas")
    found = score(registry, problem, loop, range(*asked.seeds), asked.trials)
    regrets = 100.0 * (np.array(found.losses) / found.optimum - 1.0)
    far = int((regrets > 5.0).sum())
    print(
        f"{asked.reading}, {asked.objective}, accuracy >= {asked.floor:g}: "
        f"{found.built:.2f} buildable, median regret {np.median(regrets):.2f} %, "
        f"{far} of {len(regrets)} further than 5 %"
    )
    print("  " + ", ".join(f"{regret:.2f}" for regret in regrets))


if __name__ == "__main__":
    main()
