"""The order of execution in which least memory is alive at one time.

While a step runs, all it reads and all it writes is there, beside every tensor that a later step
still reads and every result. The steps done so far are a downset of the graph, what is alive
depends on it alone, and an order is a path from downset to downset whose worth is its worst step:
a bottleneck shortest path, found by Dijkstra's algorithm with the peak so far as the distance. So
the distance at which the search stands is a lower bound at any time.

A step that leaves no more alive than there was, and whose own need does not exceed the peak so far
(or that of the neediest single step, which no order escapes), is run at once. No order is lost:
brought forward in any order, it frees at least as much later on, and so nothing gets larger.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from attrs import frozen

from cosearch.quantities import added
from cosearch.workload.dataflow import Dataflow

LIMIT = 20_000
"""Downsets looked at before the search is content with a bound."""


@frozen
class Peak:
    """How much memory a network needs.

    Attributes:
        words: alive at one time in the order found.
        bound: no order needs less.
        order: numbers of the steps.
        as_written: words in the order in which the network states its steps.
    """

    words: int
    bound: int
    order: tuple[int, ...]
    as_written: int

    @property
    def proven(self) -> bool:
        """Whether no order needs less."""
        return self.words == self.bound

    @property
    def gap(self) -> float:
        """By how much the order may be worse than the best, relative to that."""
        return self.words / self.bound - 1 if self.bound else 0.0


@frozen
class _Graph:
    """A dataflow as bit sets of steps.

    Attributes:
        words: of each tensor.
        reads, writes: of each step, tensors.
        readers: of each tensor.
        before: of each step, those whose results it reads.
        after: of each step, those that read its results.
        kept: whether a tensor is a result.
    """

    words: tuple[int, ...]
    reads: list[tuple[int, ...]]
    writes: list[tuple[int, ...]]
    readers: list[int]
    before: list[int]
    after: list[int]
    kept: list[bool]

    @classmethod
    def of(cls, flow: Dataflow) -> _Graph:
        writer = {t: i for i, step in enumerate(flow.steps) for t in step.writes}
        readers = [0] * len(flow.words)
        before, after = [0] * len(flow.steps), [0] * len(flow.steps)
        for i, step in enumerate(flow.steps):
            for tensor in step.reads:
                readers[tensor] |= 1 << i
                if tensor in writer:
                    before[i] |= 1 << writer[tensor]
                    after[writer[tensor]] |= 1 << i
        kept = [tensor in flow.results for tensor in range(len(flow.words))]
        reads, writes = [s.reads for s in flow.steps], [s.writes for s in flow.steps]
        return cls(flow.words, reads, writes, readers, before, after, kept)

    @property
    def start(self) -> _State:
        """Nothing done; what no step writes is there."""
        written = {t for tensors in self.writes for t in tensors}
        needed = (t for t in range(len(self.words)) if self.readers[t] or self.kept[t])
        live = added(self.words[t] for t in needed if t not in written)
        ready = added(1 << i for i, b in enumerate(self.before) if not b)
        return _State(0, ready, live, 0, None)

    def need(self, step: int) -> int:
        """Return the words that a step makes by itself."""
        return added(self.words[t] for t in self.writes[step])

    def run(self, state: _State, step: int) -> _State:
        """Return what is there after a step that is ready."""
        done = state.done | 1 << step
        peak = state.live + self.need(step)
        gone = (
            t
            for t in (*self.reads[step], *self.writes[step])
            if not self.kept[t] and not self.readers[t] & ~done
        )
        live = peak - added(self.words[t] for t in gone)
        ready = state.ready & ~(1 << step)
        for other in _bits(self.after[step]):
            if not self.before[other] & ~done:
                ready |= 1 << other
        return _State(done, ready, live, max(state.peak, peak), (state.path, step))


@frozen(eq=False)
class _State:
    """A downset of steps that are done.

    Attributes:
        done: as a bit set.
        ready: steps whose operands are there.
        live: words that are there.
        peak: words that were there at one time on the way.
        path: the steps, last first.
    """

    done: int
    ready: int
    live: int
    peak: int
    path: tuple[object, int] | None

    @property
    def order(self) -> tuple[int, ...]:
        """The steps, in order."""
        steps, path = [], self.path
        while path is not None:
            path, step = path  # type: ignore[assignment]
            steps.append(step)
        return tuple(reversed(steps))


def least_peak(flow: Dataflow, limit: int = LIMIT) -> Peak:
    """Return the order of execution that needs least memory, or a good one and a bound.

    Args:
        flow: the network's steps.
        limit: downsets to look at.
    """
    graph = _Graph.of(flow)
    start = written = graph.start
    for step in range(len(flow.steps)):
        written = graph.run(written, step)
    floor = max((_own(graph, i) for i in range(len(flow.steps))), default=written.live)
    floor = max(floor, start.live, written.live)
    best = min((written, _greedy(graph, start)), key=lambda state: state.peak)
    best, bound = _search(graph, best, floor, limit)
    words = max(best.peak, floor)
    return Peak(words, bound, best.order, max(written.peak, floor))


def _own(graph: _Graph, step: int) -> int:
    """Return the words that are there while a step runs, in any order."""
    return added(graph.words[t] for t in (*graph.reads[step], *graph.writes[step]))


def _search(graph: _Graph, best: _State, floor: int, limit: int) -> tuple[_State, int]:
    """Return the best order found and a lower bound of all orders' peaks."""
    every = (1 << len(graph.before)) - 1
    seen: set[int] = set()
    counter = 0
    heap = [(floor, 0, counter, _eager(graph, graph.start, floor))]
    while heap and heap[0][0] < best.peak:
        bound, _, _, state = heapq.heappop(heap)
        if state.done == every:
            return state, bound
        if state.done in seen:
            continue
        if len(seen) >= limit:
            return min(best, _greedy(graph, state), key=lambda s: s.peak), bound
        seen.add(state.done)
        for step in _bits(state.ready):
            child = graph.run(state, step)
            reached = max(floor, child.peak)
            if reached < best.peak:
                child = _eager(graph, child, reached)
                counter += 1
                heapq.heappush(heap, (reached, -child.done.bit_count(), counter, child))
    return best, max(best.peak, floor)


def _eager(graph: _Graph, state: _State, allowed: int) -> _State:
    """Return the state after all steps that cost nothing."""
    going = True
    while going:
        going = False
        for step in _bits(state.ready):
            after = graph.run(state, step)
            if after.live <= state.live and after.peak <= allowed:
                state, going = after, True
    return state


def _greedy(graph: _Graph, state: _State) -> _State:
    """Return an order that always takes the step with the least peak, then the least left."""
    while state.ready:
        states = (graph.run(state, step) for step in _bits(state.ready))
        state = min(states, key=lambda after: (after.peak, after.live))
    return state


def _bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
