import threading
import time

import pytest

from cosearch.mapping.threads import ThreadPool, Worker


def pool(n):
    return ThreadPool(tuple(Worker(f"task {i}", f"machine {i}") for i in range(n)))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers):
    def work(worker, item):
        time.sleep(0.01 if item == 0 else 0.0)
        return item * item

    assert list(pool(workers).map(work, range(9))) == [i * i for i in range(9)]


def test_no_two_threads_share_a_worker():
    using, seen = set(), set()
    both = threading.Barrier(2, timeout=10)

    def work(worker, item):
        assert worker.machine not in using
        using.add(worker.machine)
        seen.add(worker.machine)
        both.wait()
        using.remove(worker.machine)

    list(pool(2).map(work, range(2)))
    assert seen == {"machine 0", "machine 1"}


@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_failure_is_the_one_reported(workers):
    def work(worker, item):
        if item == 2:
            time.sleep(0.02)
        if item >= 2:
            raise ValueError(f"item {item}")
        return item

    results = pool(workers).map(work, range(6))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="item 2"):
        next(results)


def test_closed_early_the_rest_is_left_undone():
    started = []
    go_on = threading.Event()

    def work(worker, item):
        started.append(item)
        if item:
            assert go_on.wait(10)
        return item

    results = pool(2).map(work, range(100))
    assert next(results) == 0
    results.close()
    go_on.set()
    assert len(started) <= 4


def test_a_worker_alone_works_where_it_is_asked():
    here = threading.get_ident()

    def work(worker, item):
        return threading.get_ident() == here

    assert all(pool(1).map(work, range(3)))
    assert all(pool(4).map(work, range(1)))
