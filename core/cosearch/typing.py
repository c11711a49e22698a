"""The array and value types that every contract is written in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Value: TypeAlias = bool | int | float | str
"""One choice of a parameter."""

Configuration: TypeAlias = Mapping[str, Value]
"""A decoded point of a parameter space: parameter name to value."""

Rows: TypeAlias = NDArray[np.int64]
"""Points of a space, int64[n, d]: row i, column j is the index of the choice of parameter j."""

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
