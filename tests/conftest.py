"""Fixtures for all three packages."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["COSEARCH_WORKERS"] = "1"
"""What a test runs without saying otherwise: here, and at once."""

TOY = Path(__file__).parent / "data" / "toy_plugin"

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("untimed")


@pytest.fixture
def toy(monkeypatch):
    """Install the toy plugin, for other processes too, and return the registry that has it."""
    from cosearch.hooks.discovery import load_registry

    monkeypatch.syspath_prepend(str(TOY))
    monkeypatch.setenv("PYTHONPATH", str(TOY))
    return load_registry(third_party=True)


GEMM = "gemm:M=16,N=16,K=16"


@pytest.fixture
def study_of(toy, tmp_path):
    """Return a function that runs a small study to its end and returns it."""
    from cosearch.mapping.mapper import Budget
    from cosearch.store.store import Store
    from cosearch.study.codesign import open_study, plan, run

    def study(
        *,
        trials=12,
        hardware="toy",
        strategy="evolutionary",
        workload=GEMM,
        name="",
        store=tmp_path / "s.db",
        session=None,
        budget=None,
        **settings,
    ):
        settings.setdefault("mapper_evaluations", 60)
        problem = plan(toy, workload, hardware, strategy, **settings)
        with Store(store) as opened:
            found = open_study(opened, toy, problem, budget or Budget(trials=trials), name)
            run(found, opened, toy, session)
        return found

    return study
