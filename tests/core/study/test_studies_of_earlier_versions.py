"""Studies that 0.1.0 stored: they are read, priced again and continued to identical numbers.

`tests/data/studies/cosearch-0.1.0.sql.gz` is a dump of a store that 0.1.0 wrote, `MACHINE-4` and
`MACHINE-6` being the same study at four and at six trials (results of mappers are left out):

    cosearch run alexnet -H eyeriss -s evolutionary --batch 2 --trials 4 --seed 3 --study eyeriss-4
    cosearch run alexnet -H gemmini -s evolutionary --batch 2 --trials 4 --seed 3 --study gemmini-4
    cosearch run alexnet -H systolic -s random -m evolutionary --mapper-trials 50 --batch 2 \
        --trials 4 --seed 3 --study systolic-4
"""

import gzip
import sqlite3
from pathlib import Path

import pytest

from cosearch.hooks.discovery import load_registry
from cosearch.store.store import Store
from cosearch.study.codesign import load_study, resume_study, run
from cosearch.study.report import report_of

DUMP = Path(__file__).parents[2] / "data" / "studies" / "cosearch-0.1.0.sql.gz"
MACHINES = ("eyeriss", "gemmini", "systolic")


@pytest.fixture(scope="module")
def registry():
    return load_registry(third_party=False)


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    connection.executescript(gzip.decompress(DUMP.read_bytes()).decode())
    connection.close()
    with Store(path) as opened:
        yield opened


def numbers(trial):
    """Return what may not change: not how long it took."""
    outcome = trial.outcome
    found = [(x.name, x.key, x.count, x.row, x.energy_pj, x.cycles, x.proven, x.gap)
             for x in outcome.layers]  # fmt: skip
    return (
        trial.number, trial.row, dict(trial.configuration), outcome.state, outcome.accelerator,
        outcome.losses, dict(outcome.metrics), found,
    )  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
def test_every_design_is_priced_again_to_the_same_numbers(store, registry, machine):
    report = report_of(load_study(store, registry, f"{machine}-6"))
    assert report.best.disagreements == report.baseline.disagreements == ()
    assert report.trials == 6


@pytest.mark.parametrize("machine", MACHINES)
def test_continued_it_ends_as_it_did(store, registry, machine):
    study = resume_study(store, registry, f"{machine}-4", more_trials=2)
    assert len(study.trials) == 4
    run(study, store, registry)
    then = load_study(store, registry, f"{machine}-6")
    assert [numbers(t) for t in study.in_order] == [numbers(t) for t in then.in_order]
    assert numbers(study.baseline) == numbers(then.baseline)
