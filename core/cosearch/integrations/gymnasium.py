"""A Gymnasium environment of any hardware model and workload.

Importing this module registers it:

    import gymnasium
    import cosearch.integrations.gymnasium

    env = gymnasium.make("cosearch/Design-v0", workload="resnet18", hardware="eyeriss")
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.integrations.designs import Designs
from cosearch.trials.trial import Outcome, State
from cosearch.typing import FloatArray

try:
    import gymnasium
    from gymnasium.spaces import Box, Discrete
except ImportError:
    raise MissingExtraError("cosearch.integrations.gymnasium", "gymnasium") from None

ENVIRONMENT = "cosearch/Design-v0"
"""The name the environment is registered under when this module is imported."""


class DesignEnv(gymnasium.Env[FloatArray, int]):  # type: ignore[misc] # untyped where absent
    """An episode chooses a design, one parameter a step; the reward comes with the last.

    Action: the index of a choice, `Discrete(most choices)`; beyond the parameter's own it wraps
    around. `info["action_mask"]`, int8[most choices], marks choices that exist and break no rule
    that is decided already; `action_masks()` says so to masked PPO.
    Observation, float32[2 d] in [0, 1]: per parameter its choice (0 while open, otherwise
    (index + 1) / choices), then a one-hot of the parameter to choose next (all 0 at the end).
    Reward: ln(baseline's loss / the design's loss) for a feasible design, minus the penalty for an
    infeasible one; 0 before the last step. The last `info` holds `configuration`, `loss`,
    `feasible` and `reason`.

    Args:
        workload: name, path or einsum.
        hardware: a hardware model's name with options.
        penalty: negative reward of an infeasible design.
        render_mode: `ansi` renders the design so far as text.
        settings: further ones by name, see the fields of `StudySpec`; one objective.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        workload: str,
        hardware: str,
        *,
        penalty: float = 5.0,
        render_mode: str | None = None,
        **settings: Any,  # noqa: ANN401 - checked by StudySpec
    ) -> None:
        self.designs = Designs.of(workload, hardware, **settings)
        if len(self.designs.problem.objectives) != 1:
            raise CosearchError("an environment has one objective: its reward is one number")
        self.penalty, self.render_mode = penalty, render_mode
        self._cards = self.designs.space.cardinalities
        self.action_space = Discrete(int(self._cards.max()))
        self.observation_space = Box(0.0, 1.0, (2 * len(self._cards),), np.float32)
        self._reference: float | None = None
        self._row, self._next = np.zeros(len(self._cards), dtype=np.int64), 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Begin a design."""
        super().reset(seed=seed, options=options)
        self._row, self._next = np.zeros(len(self._cards), dtype=np.int64), 0
        return self._observation(), {"action_mask": self._mask()}

    def step(self, action: int) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        """Choose the next parameter; returns observation, reward, terminated, False, info."""
        if self._next == len(self._row):
            raise CosearchError("the design is complete", "call reset() to begin another")
        self._row[self._next] = int(action) % int(self._cards[self._next])
        self._next += 1
        if self._next < len(self._row):
            return self._observation(), 0.0, False, False, {"action_mask": self._mask()}
        outcome = self._outcome()
        info = {
            "action_mask": self._mask(),
            "configuration": self.designs.space.decode(self._row),
            "loss": outcome.losses[0] if outcome.ok else math.inf,
            "feasible": outcome.ok,
            "reason": outcome.reason,
        }
        return self._observation(), self._reward(outcome), True, False, info

    def render(self) -> str | None:
        """Return the choices so far as text, if asked to by `render_mode`."""
        if self.render_mode != "ansi":
            return None
        values = self.designs.space.decode(self._row)
        return "\n".join(f"{name} = {value}" for name, value in list(values.items())[: self._next])

    def _outcome(self) -> Outcome:
        broken = self.designs.space.broken(self._row)
        if broken:
            return Outcome(State.INFEASIBLE, "; ".join(broken))
        return self.designs.evaluate(self._row)

    def _reward(self, outcome: Outcome) -> float:
        if not outcome.ok:
            return -self.penalty
        if self._reference is None:
            baseline = self.designs.baseline()
            self._reference = baseline.losses[0] if baseline.ok else outcome.losses[0]
        return math.log(self._reference / outcome.losses[0])

    def _observation(self) -> FloatArray:
        chosen = np.where(np.arange(len(self._row)) < self._next, (self._row + 1) / self._cards, 0)
        following = np.arange(len(self._row)) == self._next
        return np.concatenate([chosen, following]).astype(np.float32)

    def action_masks(self) -> NDArray[np.bool_]:
        """Return bool[most choices]: which actions make sense now, as masked PPO asks for them.

        `MaskablePPO` of sb3-contrib finds it by this name. Where rules have left no choice, every
        choice of the parameter: a policy needs one.
        """
        mask = self._mask().astype(bool)
        if self._next < len(self._row) and not mask.any():
            mask[: int(self._cards[self._next])] = True
        return mask

    def _mask(self) -> NDArray[np.int8]:
        mask = np.zeros(int(self._cards.max()), dtype=np.int8)
        if self._next < len(self._row):
            allowed = self.designs.space.allowed(self._row[None, :], self._next)[0]
            mask[: len(allowed)] = allowed
        return mask


if ENVIRONMENT not in gymnasium.registry:
    gymnasium.register(ENVIRONMENT, entry_point=f"{__name__}:{DesignEnv.__name__}")
