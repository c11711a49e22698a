"""Saying that the kernel is being compiled."""

import logging
import os

from cosearch.loopnest import kernel, readiness


def test_a_fresh_cache_is_announced(tmp_path, monkeypatch, caplog):
    class Stats:
        cache_path = str(tmp_path)

    class Fresh:
        signatures = ()
        stats = Stats
        py_func = kernel.price.py_func

    monkeypatch.setattr(readiness.kernel, "price", Fresh)
    with caplog.at_level(logging.INFO, logger="cosearch"):
        readiness.announce()
    assert caplog.messages == [readiness.COMPILING]
    cached = tmp_path / "kernel.price-1.py311.1.nbc"
    cached.touch()
    assert readiness.kernel_is_cached()
    os.utime(cached, (0, 0))
    assert not readiness.kernel_is_cached()


def test_a_compiled_kernel_is_ready():
    kernel.price.disable_compile(False)
    assert readiness.kernel_is_ready() == bool(
        kernel.price.signatures or readiness.kernel_is_cached()
    )
