"""What a plugin author tests a plugin with.

Subclass `StrategyConformance` in a pytest file, or call `check_strategy`, which needs no pytest.
"""

from cosearch.testing.conformance import (
    CHECKS,
    ConformanceError,
    StrategyConformance,
    check_strategy,
)
from cosearch.testing.problems import PROBLEMS, Problem, problem
from cosearch.testing.timing import AskTime, ask_times

__all__ = [
    "CHECKS",
    "PROBLEMS",
    "AskTime",
    "ConformanceError",
    "Problem",
    "StrategyConformance",
    "ask_times",
    "check_strategy",
    "problem",
]
