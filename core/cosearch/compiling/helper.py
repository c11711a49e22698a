"""A process that helps another compile: `python -m cosearch.compiling.helper ADDRESS ...`."""

from __future__ import annotations

import sys

from cosearch.compiling.parts import found, taken_in_turn


def main(addresses: list[str]) -> None:
    """Compile the parts at some addresses that no other process is at."""
    for _ in taken_in_turn([found(address) for address in addresses]):
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
