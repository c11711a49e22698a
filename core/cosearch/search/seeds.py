"""One seed, many streams: every random choice is a pure function of the seed and a purpose."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *purpose: str) -> np.random.Generator:
    """Return the generator of a purpose, independent of every other purpose's.

    A mapper's purpose is the machine and the layer, not the number of the trial: so a result from
    the cache and one computed anew are the same, in any process and any order.

    Args:
        seed: of the study, 0 or more.
        purpose: words that name what the numbers are for.
    """
    digest = hashlib.sha256("\0".join(purpose).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    parts = np.concatenate([[seed], words]).astype(np.uint32) if seed < 2**32 else [seed, *words]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(parts)))
