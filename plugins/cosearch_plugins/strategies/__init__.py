"""Search strategies that ship with cosearch."""

from __future__ import annotations

from cosearch.registry.registration import Registration, hookimpl

_HERE = "cosearch_plugins.strategies"


@hookimpl
def cosearch_strategies() -> list[Registration]:
    """Return the built-in strategies."""
    return [
        Registration(name, f"{_HERE}.{target}", summary)
        for name, target, summary in (
            ("random", "random:Random", "uniform draws, none twice"),
            ("sobol", "sobol:Sobol", "a quasi-random sequence"),
            ("grid", "grid:Grid", "all combinations, coarse to fine"),
            ("annealing", "annealing:Annealing", "Metropolis walks that cool down"),
            (
                "evolutionary",
                "evolutionary:Evolutionary",
                "tournament, crossover and mutation; ageing as an option",
            ),
            ("cmaes", "cmaes:CmaEs", "covariance matrix adaptation on the encoded space"),
            ("bayesian", "bayesian:Bayesian", "constrained Bayesian optimization"),
            ("relax-and-round", "relax_round:RelaxAndRound", "Bayesian optimization, rounded"),
            ("surrogate-tree", "surrogate_tree:SurrogateTree", "boosted trees rank candidates"),
            ("reinforce", "policy_gradient:Reinforce", "policy gradient over the columns"),
            ("ppo", "policy_gradient:Ppo", "proximal policy optimization over the columns"),
            (
                "discrete-sac",
                "soft_actor_critic:SoftActorCritic",
                "soft actor-critic over the columns, learning from all trials",
            ),
            ("hyperband", "hyperband:Hyperband", "cheap judgements first, where there are any"),
            ("optuna", "optuna_samplers:Optuna", "Optuna's samplers: TPE, GP, CMA-ES, NSGA"),
            ("pymoo", "pymoo_algorithms:Pymoo", "pymoo's evolutionary algorithms"),
            ("pycma", "pycma:Pycma", "CMA-ES of the package cma"),
            ("smac", "smac:Smac", "random forests of SMAC3"),
            ("botorch", "botorch:Botorch", "BoTorch's expected improvement over a pool"),
            ("nevergrad", "nevergrad:Nevergrad", "an optimizer of nevergrad"),
            ("freerea", "freerea:FreeRea", "evolution by a sum of scores, for network spaces"),
            ("nsga2", "nsga2:Nsga2", "evolution of a Pareto front, for several objectives"),
        )
    ]
