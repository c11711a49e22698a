"""Saying that something is being compiled."""

import logging
import os
from pathlib import Path

import pytest

from cosearch.loopnest.kernel import interpreter as kernel
from cosearch.loopnest.kernel import readiness
from cosearch_plugins.mappers.exact import entries

SOURCE = Path(kernel.__file__)
NAMES = {"price": "interpreter.price-1", "search": "entries._entries.locals.search-1"}


@pytest.fixture(params=["price", "search"])
def fresh(request, tmp_path, monkeypatch):
    """A function that was never compiled, how it is announced, and the name of its cache."""
    holder = kernel if request.param == "price" else entries.compiled

    class Stats:
        cache_path = str(tmp_path)

    class Fresh:
        signatures = ()
        stats = Stats
        py_func = getattr(holder, request.param).py_func

    monkeypatch.setattr(holder, request.param, Fresh)
    said = {
        "price": (readiness.announce_kernel, f"compiling {readiness.KERNEL} ..."),
        "search": (entries.announce_compiling, f"compiling {entries.SEARCH} ..."),
    }
    return Fresh, *said[request.param], tmp_path / f"{NAMES[request.param]}.py311.1.nbc"


def test_a_fresh_cache_is_announced(fresh, caplog):
    function, announce, text, cached = fresh
    with caplog.at_level(logging.INFO, logger="cosearch"):
        announce()
        assert caplog.messages == [text]
        cached.touch()
        announce()
    assert caplog.messages == [text]
    assert readiness.is_cached(function, [SOURCE])
    os.utime(cached, (0, 0))
    assert not readiness.is_cached(function, [SOURCE])


def test_a_compiled_kernel_is_ready():
    kernel.price.disable_compile(False)
    assert readiness.is_ready(kernel.price, [SOURCE]) == bool(
        kernel.price.signatures or readiness.is_cached(kernel.price, [SOURCE])
    )
