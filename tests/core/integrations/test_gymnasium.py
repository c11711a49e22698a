import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import cosearch.integrations.gymnasium as ours
from cosearch.errors import CosearchError, UnknownNameError

GEMM = "gemm:M=16,N=16,K=16"


@pytest.fixture
def env(toy):
    return gymnasium.make(ours.ENVIRONMENT, workload=GEMM, hardware="toy", mapper="random")


def episode(env, choose):
    observation, info = env.reset(seed=0)
    steps = [(observation, 0.0, info)]
    over = False
    while not over:
        observation, reward, over, cut, info = env.step(choose(info["action_mask"]))
        assert not cut
        steps.append((observation, reward, info))
    return steps


def test_passes_gymnasiums_own_checker(env):
    check_env(env.unwrapped, skip_render_check=False)


def test_an_episode_is_a_design(env):
    rng = np.random.default_rng(0)
    steps = episode(env, lambda mask: int(rng.choice(np.flatnonzero(mask))))
    designs = env.unwrapped.designs
    assert len(steps) == len(designs.space.names) + 1
    assert all(reward == 0.0 for _, reward, _ in steps[:-1])
    _, reward, info = steps[-1]
    assert info["feasible"]
    baseline = designs.baseline().losses[0]
    assert reward == pytest.approx(np.log(baseline / info["loss"]))
    row = designs.space.index(info["configuration"])
    assert designs.evaluate(row).losses[0] == info["loss"]


def test_the_same_actions_give_the_same_reward(env):
    assert episode(env, lambda _: 1)[-1][1] == episode(env, lambda _: 1)[-1][1]


def test_observations_show_what_is_chosen_and_what_is_next(env):
    steps = episode(env, lambda _: 0)
    d = len(env.unwrapped.designs.space.names)
    for i, (observation, _, _) in enumerate(steps):
        assert (observation[:d] > 0).sum() == i
        assert observation[d:].tolist() == [float(j == i) for j in range(d)]


def test_a_masked_choice_costs_the_penalty(toy):
    env = gymnasium.make(
        ours.ENVIRONMENT,
        workload=GEMM,
        hardware="toy",
        mapper="random",
        constraints=("area_mm2<=1e-6",),
        penalty=3.0,
    )
    _, reward, info = episode(env, lambda _: 0)[-1]
    assert reward == -3.0
    assert not info["feasible"]
    assert "area" in info["reason"]


def test_renders_as_text(toy):
    env = gymnasium.make(
        ours.ENVIRONMENT, workload=GEMM, hardware="toy", mapper="random", render_mode="ansi"
    )
    episode(env, lambda _: 0)
    assert env.unwrapped.render().splitlines()[0].startswith(env.unwrapped.designs.space.names[0])


def test_a_step_past_the_end_is_refused(env):
    episode(env, lambda _: 0)
    with pytest.raises(CosearchError, match="complete"):
        env.unwrapped.step(0)


def test_unknown_names_are_refused(toy):
    with pytest.raises(UnknownNameError):
        ours.DesignEnv(GEMM, "no-such-machine")


def test_several_objectives_are_refused(toy):
    with pytest.raises(CosearchError, match="one objective"):
        ours.DesignEnv(GEMM, "toy", objective="energy,latency")


def test_masked_ppo_finds_the_mask_by_its_name(env):
    _, info = env.reset(seed=0)
    done = False
    while not done:
        mask = env.unwrapped.action_masks()
        assert mask.dtype == bool
        assert mask.any()
        assert mask.tolist() == info["action_mask"].astype(bool).tolist()
        _, _, done, _, info = env.step(int(np.flatnonzero(mask)[-1]))
    assert not env.unwrapped.action_masks().any()
