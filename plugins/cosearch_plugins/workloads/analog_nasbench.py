"""NAS-Bench-201 on analog hardware: accuracies under quantization, noise and drift.

The package `analog-nasbench` (IBM, arXiv 2506.18495; its wheel states no licence, and nothing of it
is shipped here) has all 15,625 networks on CIFAR-10: digital, quantized, with digital weights put
on phase-change memory, trained for analog hardware, and both after drift. Its data are one pickle,
which may run code when it is loaded: it is read here without importing the package, by an unpickler
that knows two classes, makes inert objects of them and refuses everything else.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import pickle
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from cosearch.errors import InputError, MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch.workload.network import MEASURED
from cosearch_plugins.workloads.nasbench201 import Cells
from cosearch_plugins.workloads.nasbench201_cells import EDGES, OPERATIONS, codes
from cosearch_plugins.workloads.options import BATCH

PACKAGE, FILE = "analog-nasbench", "analognasbench/data.anb"
DIGEST = "85f3435b877aa2d36268d55ce07f6ff6d73643d17a840f1941745da5eb80db32"
"""SHA-256 of the data of version 0.1.3."""

CODES: Final = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
"""The package's numbers for operations."""
ITS_EDGES: Final = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""Grouped by the node that an edge comes from; ours are grouped by where they lead to."""

SECONDS: Final = {"60s": 60, "1h": 3600, "1day": 86400, "30days": 2592000}
PLAIN: Final = ("baseline", "ptq", "qat", "noisy", "analog")
STATES: Final = (*PLAIN, *(f"{how}-{t}" for how in ("baseline", "analog") for t in SECONDS))
"""How a network was trained and run; with a time, after drift."""

_ALLOWED = {
    ("analognasbench.data", "Architecture"),
    ("analognasbench.data", "DriftMeasurement"),
}


class _Inert:
    """What a record of the package becomes: attributes, no code."""

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)


class _Reader(pickle.Unpickler):
    """An unpickler that makes inert objects of two classes and refuses every other."""

    def find_class(self, module: str, name: str) -> type:
        if (module, name) in _ALLOWED:
            return _Inert
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read(data: bytes) -> dict[tuple[int, ...], Any]:
    """Return the records of the package's file; raises InputError for anything else in it."""
    try:
        records = _Reader(io.BytesIO(data)).load()
    except Exception as error:
        raise InputError(FILE, [f"is not what the package {PACKAGE} holds: {error}"]) from error
    if not isinstance(records, dict) or not all(isinstance(r, _Inert) for r in records.values()):
        raise InputError(FILE, [f"is not what the package {PACKAGE} holds"])
    return records


def data_file() -> Path:
    """Return where the installed package has its data, or raise MissingExtraError."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtraError("the network space analog-nasbench", "analog") from None
    for file in files:
        if str(file) == FILE:
            return Path(str(file.locate()))
    raise InputError(PACKAGE, [f"is installed without {FILE}"])


@cache
def accuracies(path: Path) -> Mapping[str, FloatArray]:
    """Return the accuracies in per cent, float64[15625] by state, by our codes of cells.

    Raises:
        InputError: the file is none of the package's, or of a version that nobody looked at.
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != DIGEST:
        raise InputError(str(path), ["is not the data of analog-nasbench 0.1.3"])
    records = read(data)
    cells = list(records)
    at = our_codes(np.array(cells, dtype=np.int64))
    table = {}
    for state in STATES:
        column = np.full(len(OPERATIONS) ** len(EDGES), np.nan)
        column[at] = [_value(records[cell], state) for cell in cells]
        table[state] = column
    return table


def our_codes(theirs: IntArray) -> IntArray:
    """Return our codes of cells, int64[n], of the package's six digits, int64[n, 6]."""
    ours = np.array([OPERATIONS.index(name) for name in CODES])
    places = [ITS_EDGES.index(edge) for edge in EDGES]
    return codes(ours[theirs][:, places])


def _value(record: Any, state: str) -> float:  # noqa: ANN401 - an inert record
    how, _, after = state.partition("-")
    if after:
        return float(getattr(record, f"{how}_drift_{SECONDS[after]}").value)
    return float(getattr(record, f"{how}_accuracy"))


class AnalogNasBench(Cells):
    """The cells of NAS-Bench-201, with CIFAR-10 accuracies on analog in-memory hardware.

    Two records have an accuracy 60 s after programming that is more than 5 points above the one
    before: the data are taken as they are, and `suspicious` names them.

    Args:
        state: how networks were trained and run: `baseline` digital, `ptq` and `qat` quantized,
            `noisy` digital weights on analog cells, `analog` trained for them; `analog-30days`
            after drift.
        batch: images in one run.
    """

    options = ParameterSpace(
        (Parameter("state", STATES, "analog", doc="how networks were trained and run"), BATCH)
    )
    accuracy_is = MEASURED

    def __init__(self, state: str = "analog", batch: int = 1) -> None:
        super().__init__("cifar10", batch)
        self.scores = ("digital", *self.scores)
        self.state = state
        self.accuracy_note = (
            f"of the package {PACKAGE} 0.1.3, state {state}, simulated phase-change memory"
        )

    @cached_property
    def _accuracies(self) -> Mapping[str, FloatArray]:
        return accuracies(data_file())

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the accuracy in per cent, float64[n], of rows int64[n, 6]."""
        return self._accuracies[self.state][codes(rows)]

    def score(self, name: str, rows: Rows) -> FloatArray:
        """Return the `digital` accuracy, float64[n], beside the analog one."""
        if name == "digital":
            return self._accuracies["baseline"][codes(rows)]
        return super().score(name, rows)

    def suspicious(self) -> IntArray:
        """Return the codes of cells whose analog accuracy rises by over 5 points in 60 s."""
        rise = self._accuracies["analog-60s"] - self._accuracies["analog"]
        return np.flatnonzero(rise > 5.0)
