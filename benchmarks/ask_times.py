"""CPU milliseconds of an ask and a tell of strategies, after some trials.

python benchmarks/ask_times.py --strategies "bayesian;ppo" --histories 100,1000

On the conformance kit's problems: one where all can be built, one where what cannot is to be
found out, and one of limits whose misses are told.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cosearch.hooks.discovery import load_registry
from cosearch.testing import ask_times
from cosearch.testing.problems import problem


def main() -> None:
    """Print medians, the slowest, and the first, to which all trials are new."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strategies", default="bayesian;bayesian:kernel=linear;ppo;evolutionary")
    parser.add_argument("--histories", default="100,1000", help="trials told before")
    parser.add_argument("--repeats", type=int, default=50, help="asks timed, one after the other")
    given = parser.parse_args()
    histories = tuple(int(text) for text in given.histories.split(","))
    for name in ("smooth", "unknown constraint", "limits"):
        for spec in given.strategies.split(";"):
            named = load_registry().find("strategies", spec)
            for found in ask_times(
                named.target, named.options, problem(name), histories, given.repeats
            ):
                print(
                    f"{name:20}{spec:26}{found.history:6} trials: ask {found.ask_ms:6.2f} ms, "
                    f"slowest {found.worst_ms:6.1f}, first {found.first_ms:6.1f}; "
                    f"tell {found.tell_ms:5.2f} ms",
                    flush=True,
                )


if __name__ == "__main__":
    main()
