"""The policy's gradient, its sampling, and what it learns."""

import numpy as np
import pytest

from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch_plugins.strategies.parts.policy import Adam, Policy
from cosearch_plugins.strategies.policy_gradient import Ppo, Reinforce

SPACE = ParameterSpace(
    (Parameter("a", (1, 2, 4)), Parameter("b", (1, 2)), Parameter("c", (1, 2, 3, 4))),
    (Rule("a b exceeds 4", lambda c: c["a"] * c["b"] <= 4),),
)


def test_the_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    policy = Policy(SPACE, 5, rng)
    rows, _ = SPACE.sample_feasible(7, rng)
    masks, weight = policy.masks(rows), rng.normal(size=rows.shape)

    def gain():
        episode = policy.read(rows, masks)
        entropy = -sum(
            float((p * np.log(np.maximum(p, 1e-30))).sum()) for p in episode.probabilities
        )
        return float((weight * episode.log_probability).sum()) + 0.3 * entropy

    gradient = policy.gradient(rows, policy.read(rows, masks), weight, 0.3)
    for i in rng.choice(len(policy.theta), size=60, replace=False):
        kept, sides = policy.theta[i], []
        for step in (1e-5, -1e-5):
            policy.theta[i] = kept + step
            sides.append(gain())
        policy.theta[i] = kept
        assert gradient[i] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-6)


def test_samples_follow_the_probabilities_and_the_rules():
    rng = np.random.default_rng(0)
    policy = Policy(SPACE, 4, rng)
    policy.theta += rng.normal(0, 0.7, size=policy.theta.shape)
    rows = policy.sample(40_000, 1.0, rng)
    assert SPACE.feasible(rows).all()
    everything = SPACE.unrank(np.arange(SPACE.size))
    everything = everything[SPACE.feasible(everything)]
    logs = policy.read(everything, policy.masks(everything)).log_probability.sum(axis=1)
    assert np.exp(logs).sum() == pytest.approx(1.0)
    seen = np.bincount(SPACE.rank(rows), minlength=SPACE.size)[SPACE.rank(everything)] / 40_000
    assert seen == pytest.approx(np.exp(logs), abs=0.01)


def test_heat_flattens():
    rng = np.random.default_rng(0)
    policy = Policy(SPACE, 4, rng)
    policy.theta += rng.normal(0, 2.0, size=policy.theta.shape)
    kinds = [len(np.unique(policy.sample(60, heat, rng), axis=0)) for heat in (0.2, 1.0, 20.0)]
    assert kinds[0] < kinds[1] < kinds[2]


def test_adams_first_step_is_its_rate():
    assert Adam(3, 0.1).step(np.array([5.0, -0.01, 0.0])) == pytest.approx([0.1, -0.1, 0.0], 1e-4)


def test_rewards_fall_with_the_logarithm_of_the_loss_and_infeasible_ones_are_worst():
    strategy = Reinforce(SPACE, np.random.default_rng(0), batch=4096, sharpness=2.0)
    rows = SPACE.unrank(np.arange(4))
    losses, feasible = np.array([3.0, 1.0, 2.0, 9.0]), np.array([True, True, True, False])
    strategy.tell(rows, losses[:, None], feasible)
    worst = 1 - 2 * np.log(3)
    expected = [worst, 1.0, 1 - 2 * np.log(2), worst - 1]
    assert strategy._rewards(4) == pytest.approx(expected)


def test_the_best_of_all_is_imitated_from_batches_that_were_bad_too():
    first, later = (SPACE.unrank(np.arange(1)), SPACE.unrank(np.arange(1, 9)))
    feasible = np.ones(8, dtype=bool)
    likelihood = {}
    for imitate in (0, 1):
        ppo = Ppo(SPACE, np.random.default_rng(0), batch=9, imitate=imitate)
        for losses in ([1.0], np.linspace(1.1, 3.0, 8)):
            rows = first if len(losses) == 1 else later
            ppo.tell(rows, np.array(losses)[:, None], feasible[: len(rows)])
        episode = ppo._policy.read(first, ppo._policy.masks(first))
        likelihood[imitate] = episode.log_probability.sum()
    assert likelihood[1] > likelihood[0] + 0.1


def bits(name, low, high):
    return Parameter(name, tuple(range(low, high + 1)))


ACCELERATOR = ParameterSpace(
    (
        bits("batch", 0, 3),
        bits("block", 2, 6),
        bits("uop", 12, 17),
        bits("inp", 12, 18),
        bits("wgt", 14, 20),
        bits("acc", 13, 19),
        Parameter("bus", (8, 16, 32, 64)),
        Parameter("gemm", (1, 4)),
    )
)


def synthesised(rows):
    """VTA's rules from its instruction set's bit fields, and a device's limits, none of them known.

    Sizes are log2; 4 % of the space can be built. The loss prefers many multipliers and memory.
    """
    c = {name: column.astype(float) for name, column in ACCELERATOR.columns(rows).items()}
    uop, wgt = c["uop"] - 2, c["wgt"] - 2 * c["block"]
    inp, acc = c["inp"] - c["batch"] - c["block"], c["acc"] - c["batch"] - c["block"] - 2
    ok = (acc + np.maximum(acc, inp) + wgt <= 32) & (uop <= 13) & (acc + inp + wgt <= 32)
    ok &= (acc <= 11) & (np.minimum(np.minimum(inp, wgt), acc) >= 0) & (inp <= 16) & (wgt <= 16)
    ok &= 2 ** (c["batch"] + c["block"]) >= c["bus"]
    macs = 2 ** (c["batch"] + 2 * c["block"])
    kilobytes = sum(2 ** c[name] for name in ("uop", "inp", "wgt", "acc")) / 1024
    ok &= (macs <= 256) & (kilobytes <= 400)
    loss = c["gemm"] / macs + 1.0 / c["bus"] / 2 ** (np.minimum(c["inp"], c["wgt"]) / 2)
    return loss[:, None], ok


def learned(strategy):
    """Return which of 2,000 designs were feasible, bool[2000]."""
    feasible = []
    for _ in range(125):
        rows = strategy.ask(16)
        losses, ok = synthesised(rows)
        strategy.tell(rows, losses, ok)
        feasible.extend(ok)
    return np.array(feasible)


LEARNERS = pytest.mark.parametrize(
    ("kind", "how"), [(Reinforce, {}), (Ppo, {"imitate": 0})], ids=["reinforce", "ppo"]
)
"""What imitates the best stays nearer the edge of what can be built than a policy need."""


@LEARNERS
def test_learns_to_avoid_what_cannot_be_built(kind, how):
    everything = ACCELERATOR.unrank(np.arange(ACCELERATOR.size))
    assert synthesised(everything)[1].mean() < 0.05
    feasible = learned(kind(ACCELERATOR, np.random.default_rng(0), penalty=2.0, explore=0.0, **how))
    assert feasible[:100].mean() < 0.3
    assert feasible[-1000:].mean() > 0.8


@LEARNERS
def test_as_it_comes_it_learns_that_too_though_it_stays_nearer_the_edge(kind, how):
    feasible = learned(kind(ACCELERATOR, np.random.default_rng(0), **how))
    chosen = 1.0 - kind.options["explore"].default
    assert feasible[200:600].mean() > 0.8 * chosen
    assert feasible[-1000:].mean() > 0.7 * chosen


def test_imitating_the_best_it_still_builds_far_more_than_chance():
    feasible = learned(Ppo(ACCELERATOR, np.random.default_rng(0)))
    assert feasible[200:600].mean() > 0.5
