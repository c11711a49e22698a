"""The executor `dask`: designs go to a cluster in batches, and come back as they are."""

from __future__ import annotations

import contextlib
import queue
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from cosearch.errors import CosearchError, MissingExtraError, one_line
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.study.executor import Design, Executor, Outcomes, Task
from cosearch.trials.trial import Outcome
from cosearch_plugins.executors.dask.cluster import LOCAL, QUEUES, Cluster, made
from cosearch_plugins.executors.dask.node import Answer, NodeTask, Work, evaluate_here, forget

PATIENCE_SECONDS = 60.0
"""How long a cluster of an address may be without any worker."""

CONNECT_SECONDS = 30.0
"""How long a scheduler may take to answer."""

LOOK_SECONDS = 1.0
"""How often workers are looked after while nothing comes back."""

MOST_DESIGNS = 64
"""That are sent at once where nobody says how many."""

SHARES = 4
"""Batches a thread of a worker gets of many designs: fewer would leave some idle at the end."""

SHORT_SECONDS = 0.05
"""Of designs that take less on average, a thread gets all it can in one batch: on the way a batch
takes longer than its designs differ."""


class Dask(Executor):
    """Workers of a Dask cluster.

    A worker that is lost is no fault of its designs: Dask sends them to another one. Designs with
    which several were lost are tried again one at a time, with nothing else under way, and fail
    where the workers are lost with them alone.

    Args:
        task: to run on each design.
        workers: of a cluster that is made here; one of an address uses all that it has.
        trial_seconds: after which a design is given up; None is never.
        address: of a scheduler, or its `--scheduler-file`; empty for a cluster of one's own.
        cluster: made where there is no address.
        designs: sent at once; 0 picks by their number and the workers'.

    Raises:
        MissingExtraError: Dask is not installed.
    """

    options = ParameterSpace(
        (
            Parameter(
                "address", ("",), free=True, doc="of a scheduler, or its file; empty makes one"
            ),
            Parameter("cluster", (LOCAL, *QUEUES), LOCAL, doc="made where there is no address"),
            Parameter("designs", (0, 10_000), 0, free=True, doc="sent at once; 0 picks"),
        )
    )
    can_give_up = True

    def __init__(
        self,
        task: Task,
        workers: int,
        trial_seconds: float | None,
        *,
        address: str = "",
        cluster: str = LOCAL,
        designs: int = 0,
    ) -> None:
        super().__init__(task, workers, trial_seconds)
        try:
            import distributed
        except ImportError:
            raise MissingExtraError("the executor dask", "dask") from None
        self._dask = distributed
        self._address, self._kind, self._size = address, cluster, designs
        self._work = Work(uuid4().hex, NodeTask(task), trial_seconds, version("cosearch"))
        self._cluster: Cluster | None = None
        self._client: Any = None
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._seen = time.monotonic()
        self._done, self._seconds = 0, 0.0
        self._threads, self._counted = workers, -LOOK_SECONDS
        self._held: list[Any] = []
        self._direct = True if not address and cluster == LOCAL else None

    def run(self, designs: Sequence[Design]) -> Outcomes:
        """Yield each design with its outcome, as they finish."""
        self._connect()
        suspects: list[Design] = []
        yield from self._all(self._batches(designs), suspects)
        for design in suspects:
            lost: list[Design] = []
            yield from self._all([[design]], lost)
            if lost:
                told = "each worker of the cluster that was given it was lost, with nothing else"
                yield design, Outcome.failed(told)

    def close(self) -> None:
        """Leave the cluster; one that was made here ends."""
        self._held = []
        if self._client is not None:
            if self._cluster is None:
                with contextlib.suppress(Exception):  # workers that do not answer are on their way
                    self._client.run(forget, self._work.key)
            self._client.close()
            self._client = None
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None

    def _connect(self) -> None:
        if self._client is not None:
            return
        if not self._address:
            self._cluster = made(self._kind, self.workers)
        where = self._cluster.address if self._cluster else self._address
        how: dict[str, Any] = {"address": where}
        if Path(where).is_file():
            how = {"scheduler_file": where}
        try:
            self._client = self._dask.Client(**how, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CosearchError(
                f"no Dask scheduler answers at {where}: {one_line(error)}",
                "start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            ) from error
        self._seen = time.monotonic()

    def _batches(self, designs: Sequence[Design]) -> list[Sequence[Design]]:
        size = self._size or self._size_for(len(designs))
        return [designs[i : i + size] for i in range(0, len(designs), size)]

    def _size_for(self, count: int) -> int:
        """Return how many of so many designs are sent at once."""
        now = time.monotonic()
        if now - self._counted > LOOK_SECONDS:
            self._threads = added(self._client.nthreads().values()) or self.workers
            self._counted = now
        threads = self._threads
        short = self._done and self._seconds / self._done < SHORT_SECONDS
        return min(
            MOST_DESIGNS, max(1, -(-count // threads) if short else count // (SHARES * threads))
        )

    def _all(self, batches: Sequence[Sequence[Design]], lost: list[Design]) -> Outcomes:
        """Yield designs with their outcomes; add those to `lost` that took workers with them."""
        # The queue that answers come back by: a closed run's belong to nobody
        ended = self._ended
        asked = ([self._work] * len(batches), list(batches))
        futures = self._client.map(evaluate_here, *asked, pure=False)  # one message for all
        under_way = dict(zip(futures, batches, strict=True))
        self._held = futures  # those before are let go now: what is sent first is sent at once
        try:
            for future in futures:
                future.add_done_callback(ended.put)
            while under_way:
                here = [future for future in self._next() if future in under_way]
                for future, answer in self._answers(here):
                    batch = under_way.pop(future)
                    if answer is None:
                        lost += batch
                    else:
                        yield from self._paired(batch, answer)
        finally:
            if under_way:
                self._client.cancel(list(under_way), force=True)
                self._ended = queue.SimpleQueue()

    def _next(self) -> list[Any]:
        """Return the futures that have ended, at least one."""
        while True:
            try:
                ended = [self._ended.get(timeout=LOOK_SECONDS)]
            except queue.Empty:
                self._look()
                continue
            while not self._ended.empty():
                ended.append(self._ended.get())
            return ended

    def _look(self) -> None:
        """Raise CosearchError where there is nobody to wait for."""
        if self._client.status not in ("running", "connecting"):
            raise CosearchError(
                f"the Dask scheduler {self._address} is gone", "start it, and resume the study"
            )
        if self._cluster is not None:
            return
        now = time.monotonic()
        if self._client.nthreads():
            self._seen = now
        elif now - self._seen > PATIENCE_SECONDS:
            raise CosearchError(
                f"the Dask scheduler {self._address} has no workers",
                f"start some: dask worker {self._address} --nthreads 1",
            )

    def _answers(self, futures: Sequence[Any]) -> Iterator[tuple[Any, Answer | None]]:
        """Yield futures with what workers answered, all fetched at once."""
        whole = [future for future in futures if future.status == "finished"]
        found = self._client.gather(whole, errors="skip", direct=self._direct)
        fetched = dict(zip(whole, found, strict=True)) if len(found) == len(whole) else {}
        for future in futures:
            yield future, self._answer(future, fetched.get(future))

    def _answer(self, future: Any, fetched: Answer | None) -> Answer | None:  # noqa: ANN401
        """Return what a worker answered; None where workers were lost, several times."""
        try:
            answer: Answer = fetched or future.result()
        except self._dask.KilledWorker:
            return None
        except self._dask.CancelledError:
            return Answer()
        except Exception as error:
            raise CosearchError(
                f"a worker of the cluster cannot evaluate designs: {one_line(error)}",
                "install the same cosearch and plugins there",
            ) from error
        if answer.error is not None:
            raise CosearchError(*answer.error)
        return answer

    def _paired(self, designs: Sequence[Design], answer: Answer) -> Outcomes:
        """Yield designs with the outcomes of an answer; say what plugins printed."""
        if answer.printed:
            sys.stdout.write(answer.printed)
        outcomes = dict(answer.outcomes)
        for design in designs:
            if design.number in outcomes:  # what is lost is asked for again
                outcome = outcomes[design.number]
                self._done, self._seconds = self._done + 1, self._seconds + outcome.seconds
                yield design, outcome
