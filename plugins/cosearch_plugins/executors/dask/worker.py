"""A worker of this machine's own cluster: `python -m ...dask.worker LIFE bound|free ADDRESS NAME`.

It is Dask's own worker, which ends with the process that started it, and is replaced by that.
"""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection

from cosearch_plugins.executors.worker import end_with_parent


def main(address: str, name: str) -> None:
    """Work for a scheduler until it ends."""
    from distributed.cli.dask_worker import main as work

    work(
        [
            address,
            "--name", name,
            "--nthreads", "1",
            "--host", "127.0.0.1",
            "--memory-limit", "0",
            "--no-dashboard",
            "--no-nanny",
            "--death-timeout", "60",
        ]
    )  # fmt: skip


if __name__ == "__main__":
    end_with_parent(Connection(int(sys.argv[1]), writable=False), bound=sys.argv[2] == "bound")
    os.dup2(2, 1)  # standard output is for results
    main(*sys.argv[3:])
