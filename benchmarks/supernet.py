"""How a supernet's shared weights rank networks, beside training each of them by itself.

    python benchmarks/supernet.py [--data FOLDER] [--networks 20] [--table FILE]

The images are the digits of scikit-learn (extra `trees`), or CIFAR-10 in its binary version from a
local folder; PyTorch is the extra `torch`. NAS-Bench-201's own accuracies are compared where its
table is given.
"""

import argparse

import numpy as np

from cosearch.hooks.discovery import load_registry
from cosearch.search.ranking import spearman
from cosearch_plugins.schemes.rhnas.images import DIGITS, Images
from cosearch_plugins.schemes.rhnas.supernet import Supernet, Training, alone


def main() -> None:
    """Print accuracies by shared and by own weights, and their rank correlation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=DIGITS)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--train", type=int, default=500)
    parser.add_argument("--steps", type=int, default=300, help="of a network trained by itself")
    parser.add_argument("--table", default="", help="NAS-Bench-201's accuracies")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    images = Images.load(asked.data, asked.train, np.random.default_rng(asked.seed))
    supernet = Supernet(images, asked.seed)
    cells = load_registry().find("network_spaces", f"nasbench201:table={asked.table}").make()
    rows = cells.space.sample(asked.networks, np.random.default_rng(asked.seed + 1))
    shared = supernet.accuracy(rows)
    own = np.array([alone(images, row, asked.seed, Training(steps=asked.steps)) for row in rows])
    for row, a, b in zip(rows, shared, own, strict=True):
        print(f"{cells.index(row[None])[0]:6d}  shared weights {a:5.1f} %  by itself {b:5.1f} %")
    print(f"rank correlation of shared and own weights: {spearman(shared, own):.2f}")
    working = own > 50
    among = spearman(shared[working], own[working])
    print(f"  of the {working.sum()} networks above 50 %: {among:.2f}")
    if asked.table:
        table = cells.accuracy(rows)
        print(f"of own weights with the benchmark's CIFAR-10 accuracy: {spearman(own, table):.2f}")


if __name__ == "__main__":
    main()
