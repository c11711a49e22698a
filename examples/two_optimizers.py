"""Two optimizers compared: same machine, same budget, several seeds each."""

import tempfile
from pathlib import Path

import cosearch

comparison = cosearch.compare(
    "gemm:M=64,N=64,K=64",
    "systolic",
    strategies=["random", "evolutionary:population=4"],
    seeds=3,
    trials=8,
    store=Path(tempfile.mkdtemp()) / "cosearch.db",
)
print(comparison)
for score in comparison.records():
    print(f"{score['strategy']}: {score['median']:.3f} of the best known, rank {score['rank']:.2f}")
best = comparison.standing.scores[0]
print("first:", best.strategy, "; better than", best.better_than or "none for sure")
