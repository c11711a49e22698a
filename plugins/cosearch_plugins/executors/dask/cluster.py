"""Clusters that a study makes for itself: workers of this machine, or jobs of a queue."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection, Pipe
from typing import Any

from attrs import define

from cosearch.errors import CosearchError, MissingExtraError, one_line

QUEUES: Mapping[str, str] = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "oar": "OARCluster",
    "htcondor": "HTCondorCluster",
    "moab": "MoabCluster",
}
"""Queues that dask-jobqueue knows, and its classes."""

LOCAL = "local"

LOOK_SECONDS = 0.5
"""How often workers of this machine are looked after."""

TRIES = 3
"""Workers that may be lost with a batch, until Dask gives it back."""


class Cluster:
    """A scheduler in this process, and workers that it is responsible for."""

    scheduler: Any

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self.scheduler.scheduler_address)

    def close(self) -> None:
        """Stop everything."""
        self.scheduler.close()


@contextlib.contextmanager
def _tries() -> Iterator[None]:
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": TRIES - 1}):
        yield


@define(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    life: Connection

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.life.close()


class LocalWorkers(Cluster):
    """Workers of this machine, each a process of its own with one thread.

    They are started as commands: multiprocessing's `spawn` would run the user's script again.

    Args:
        count: of workers.
    """

    def __init__(self, count: int) -> None:
        from distributed import LocalCluster

        with _tries():
            self.scheduler = LocalCluster(
                n_workers=0,
                threads_per_worker=1,
                host="127.0.0.1",
                protocol="tcp://",
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
        self._closed = threading.Event()
        self._workers = [self._started(i) for i in range(count)]
        self._keeper = threading.Thread(target=self._keep_up, daemon=True)
        self._keeper.start()

    def _started(self, number: int) -> _Worker:
        watched, life = Pipe(duplex=False)
        # A thread that ends takes with it what it started, where the kernel is asked to see to that
        bound = "bound" if threading.current_thread() is threading.main_thread() else "free"
        module = "cosearch_plugins.executors.dask.worker"
        process = subprocess.Popen(  # noqa: S603 - our own module
            (sys.executable, "-m", module, str(watched.fileno()), bound, self.address, str(number)),
            pass_fds=(watched.fileno(),),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for the process that stores
        )
        watched.close()
        return _Worker(process, life)

    def _keep_up(self) -> None:
        """Start a worker for each that has ended, whatever the study waits for meanwhile."""
        while not self._closed.wait(LOOK_SECONDS):
            for i, worker in enumerate(self._workers):
                if worker.process.poll() is not None:
                    worker.stop()
                    self._workers[i] = self._started(i)

    def close(self) -> None:
        """Stop scheduler and workers."""
        self._closed.set()
        self._keeper.join()
        for worker in self._workers:
            worker.stop()
        super().close()


class QueuedWorkers(Cluster):
    """Jobs of a batch system, as Dask's configuration (`jobqueue.slurm`, ...) describes them.

    Args:
        queue: one of `QUEUES`.
        count: of workers.

    Raises:
        MissingExtraError: dask-jobqueue is not installed.
        CosearchError: the configuration is not enough, or the queue refuses.
    """

    def __init__(self, queue: str, count: int) -> None:
        try:
            with _own_interruptions():
                import dask_jobqueue
        except ImportError:
            raise MissingExtraError(f"the executor dask:cluster={queue}", "dask") from None
        try:
            with _tries():
                self.scheduler = getattr(dask_jobqueue, QUEUES[queue])()
            self.scheduler.scale(n=count)
        except Exception as error:
            raise CosearchError(
                f"no cluster of {queue} can be made: {one_line(error)}",
                f"describe its jobs under `jobqueue: {queue}:` in ~/.config/dask/jobqueue.yaml",
            ) from error


@contextlib.contextmanager
def _own_interruptions() -> Iterator[None]:
    """Keep what Ctrl-C does: dask-jobqueue, once imported, would have it end the process."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def made(cluster: str, count: int) -> Cluster:
    """Return a cluster of some kind with so many workers."""
    return LocalWorkers(count) if cluster == LOCAL else QueuedWorkers(cluster, count)
