"""How far from the exact optimum searches end, seed by seed: the loop `rhnas` and others.

    python benchmarks/rhnas_seeds.py READING OBJECTIVE FLOOR [--table FILE] [--seeds 100 110]
        [--dataset cifar100] [--search rhnas --search ppo ...]

A reading is one of `cosearch reproduce rhnas`, such as "asic <= 2x"; a floor is an accuracy in per
cent or, for ImageNet's readings, so many points below the default network's. Complete tables are
kept in a folder, as that command does. Searches of the machine alone take the default network.
"""

import argparse
from pathlib import Path

import numpy as np

from cosearch.hooks.discovery import load_registry
from cosearch_plugins.papers.rhnas.imagenet import IMAGE_READINGS
from cosearch_plugins.papers.rhnas.readings import READINGS
from cosearch_plugins.papers.rhnas.running import OBJECTIVES, Here, Race, Where, whole_of
from cosearch_plugins.papers.rhnas.searches import CONTENDERS, score

DATASETS = ("cifar10", "cifar100", "imagenet16-120")


def main() -> None:
    """Print the share of machines that can be built and the regrets."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [reading.name for reading in (*READINGS, *IMAGE_READINGS)]
    parser.add_argument("reading", choices=names)
    parser.add_argument("objective", choices=OBJECTIVES)
    parser.add_argument("floor", type=float)
    parser.add_argument("--dataset", choices=DATASETS, default="cifar10")
    parser.add_argument("--table", default="", help="NAS-Bench-201's accuracies")
    parser.add_argument("--tables", default="~/.cache/cosearch/tables", help="folder")
    parser.add_argument("--seeds", nargs=2, type=int, default=(100, 110))
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--search", action="append", help="by name; rhnas if left out")
    asked = parser.parse_args()
    registry = load_registry()
    race = Race(asked.reading, asked.objective, asked.floor)
    networks = f"nasbench201:dataset={asked.dataset}"
    networks += f",table={asked.table}" if asked.table else ""
    here = Here(registry, Where(Path(asked.tables).expanduser(), networks))
    here.price(asked.reading if race.of_imagenet else whole_of(asked.reading))
    problem = here.problem(race)
    print(f"{'' if race.of_imagenet else asked.dataset} {problem.name}")
    for contender in CONTENDERS:
        wanted = contender.name in (asked.search or ["rhnas"])
        if wanted and (contender.sums or not race.of_imagenet):
            found = score(registry, problem, contender, range(*asked.seeds), asked.trials)
            regrets = 100.0 * (np.array(found.losses) / found.optimum - 1.0)
            print(
                f"{contender.name} ({contender.what}): {found.built:.2f} buildable, median regret "
                f"{np.median(regrets):.2f} %, {int((regrets > 5.0).sum())} of {len(regrets)} "
                "further than 5 %",
                flush=True,
            )
            print("  " + ", ".join(f"{regret:.2f}" for regret in regrets), flush=True)


if __name__ == "__main__":
    main()
