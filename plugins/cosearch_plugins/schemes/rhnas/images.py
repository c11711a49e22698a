"""Small image sets without a download: scikit-learn's digits, CIFAR-10 in a local folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from attrs import frozen

from cosearch.errors import InputError, MissingExtraError
from cosearch.typing import FloatArray, IntArray

DIGITS = "digits"
CIFAR_FILES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
"""Of the binary version of CIFAR-10 (Krizhevsky 2009): a label and 3,072 bytes an image."""

RECORD = 1 + 3 * 32 * 32


@frozen(eq=False)
class Images:
    """Images with labels, in three parts.

    Attributes:
        train, valid, test: float32[n, channels, side, side], about standardised.
        train_labels, valid_labels, test_labels: int64[n].
        classes: different labels.
    """

    train: FloatArray
    train_labels: IntArray
    valid: FloatArray
    valid_labels: IntArray
    test: FloatArray
    test_labels: IntArray
    classes: int

    @classmethod
    def load(cls, source: str, train: int, rng: np.random.Generator) -> Images:
        """Return the digits, or CIFAR-10 from a folder with its binary files.

        Args:
            source: `digits`, or a folder.
            train: images to train weights on; as many again to choose networks by.
            rng: shuffles them.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            InputError: the folder lacks a file, or one is cut short.
        """
        x, y = _digits() if source == DIGITS else _cifar(Path(source))
        order = rng.permutation(len(x))
        x, y = x[order], y[order]
        x = (x - x.mean()) / x.std()
        ends = (train, 2 * train, min(len(x), 2 * train + 2_000))
        parts = [
            (x[a:b].astype(np.float32), y[a:b]) for a, b in zip((0, *ends), ends, strict=False)
        ]
        (a, la), (b, lb), (c, lc) = parts
        return cls(a, la, b, lb, c, lc, int(y.max()) + 1)


def _digits() -> tuple[FloatArray, IntArray]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError("the digits are those of scikit-learn", "trees") from error
    found = load_digits()
    return found.images[:, None].astype(np.float64), found.target.astype(np.int64)


def _cifar(folder: Path) -> tuple[FloatArray, IntArray]:
    missing = [name for name in CIFAR_FILES if not (folder / name).is_file()]
    if missing:
        raise InputError(
            str(folder), [f"lacks {name}" for name in missing],
            "it is to hold the binary version of CIFAR-10",
        )  # fmt: skip
    records = []
    for name in CIFAR_FILES:
        raw = np.fromfile(folder / name, dtype=np.uint8)
        if len(raw) == 0 or len(raw) % RECORD:
            raise InputError(str(folder / name), [f"is no whole number of {RECORD} byte records"])
        records.append(raw.reshape(-1, RECORD))
    every = np.concatenate(records)
    return every[:, 1:].reshape(-1, 3, 32, 32).astype(np.float64), every[:, 0].astype(np.int64)
