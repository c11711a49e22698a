"""arXiv 2010.02075 again: `cosearch reproduce shi2020`, with the same options.

python benchmarks/papers/shi2020.py --seeds 10
"""

import sys

from cosearch.cli import main

if __name__ == "__main__":
    sys.exit(main(["reproduce", "shi2020", *sys.argv[1:]]))
