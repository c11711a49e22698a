"""Reinforcement learning for the machine, differentiable search for the network, in turns.

Of arXiv 2106.09180 (RHNAS) only the abstract is known here: reinforcement learning finds the
hardware, because many configurations cannot be synthesised and break a differentiable search, and
differentiable search finds the network. Everything else in this package - policy, reward, penalty,
relaxation, when they take turns - is ours, and nothing of it is attributed to that paper.
"""
