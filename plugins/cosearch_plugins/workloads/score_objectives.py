"""What is known of a network without a machine, as objectives.

Training-free scores are made large, so the objective is their negative. What each one is worth is
printed by `cosearch networks ranks`.
"""

from __future__ import annotations

from cosearch.search.objective import Metrics, Objective
from cosearch.typing import FloatArray

SCORES = {
    "naswot": "log-determinant of the activation codes' kernel on one batch",
    "logsynflow": "weights times logarithms of the Synflow gradients",
    "skip": "how far a cell's skip connections reach",
    "epe_nas": "correlations of Jacobians within classes",
    "fisher": "squared activations times gradients, by channel",
    "grad_norm": "norm of the gradients",
    "grasp": "weights times the Hessian's product with the gradients",
    "jacov": "covariance of Jacobians",
    "l2_norm": "norm of the weights",
    "plain": "weights times gradients",
    "snip": "absolute weights times gradients",
    "synflow": "weights times the gradients of a network of absolute weights",
}
"""Training-free scores, higher is better: the first three as in FreeREA (Cavagnero et al., WACV
2023), the others under the names of NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022)."""

DEVICES = (
    *("eyeriss_ms", "fpga_ms", "raspi4_ms", "pixel3_ms"),
    *("zcu102_ms", "vck190_ms"),
)
"""Latencies of whole networks on devices; those of `eyeriss_ms` and `fpga_ms` are estimates."""


PRECISION = {
    "noise": "rounding noise of a policy of bits, in units of that at 8 bits: no accuracy",
    "budgeted": "the cost that the action wall counts, over that at 8 bits",
}
"""Of `mixed-precision`, lower is better."""


def score_objectives() -> list[Objective]:
    """Return an objective for every score that spaces of networks are known to have."""
    scores = [
        Objective(name, "1", _Negative(name), f"minus the score: {what}", (name,))
        for name, what in SCORES.items()
    ]
    devices = [
        Objective(name, "ms", _Itself(name), f"latency on the device {name[:-3]}", (name,))
        for name in DEVICES
    ]
    policies = [
        Objective(name, "1", _Itself(name), what, (name,)) for name, what in PRECISION.items()
    ]
    text = "minus the accuracy to be had in the mean over budgets of computation"
    return [
        *scores,
        *devices,
        *policies,
        Objective("anytime", "%", _Negative("anytime"), text, ("anytime",)),
    ]


class _Negative:
    """Minus one metric."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, metrics: Metrics) -> FloatArray:
        return -metrics[self.name]


class _Itself(_Negative):
    """One metric."""

    def __call__(self, metrics: Metrics) -> FloatArray:
        return metrics[self.name]
