"""The kernel against the reference model on Timeloop's points."""

import gzip
import math
from pathlib import Path

import pytest
from attrs import evolve

from cosearch.validate.compare import Rejected
from cosearch.validate.kernel import against_kernel
from cosearch_plugins.references.timeloop import Timeloop

DATA = Path(__file__).parents[2] / "data" / "timeloop"


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    """Return the sections of some points of each kind."""
    folder = tmp_path_factory.mktemp("points")
    for file in DATA.glob("*.gz"):
        lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        some = lines if file.name.startswith("archs") else lines[::12]
        (folder / file.stem).write_bytes(b"".join(some))
    return Timeloop().read(folder)


def test_the_kernel_equals_the_reference_to_the_last_bit(sections):
    section = against_kernel(sections[0])
    report = section.report()
    assert [(c.id, c.differences, c.expected, c.found) for c in report.differing] == []
    assert len(report.valid) > 20
    assert len(report.invalid) > 3


def test_a_kernel_that_is_off_by_one_bit_is_caught(sections):
    section = against_kernel(sections[0])

    def off(case):
        found = section.model(case)
        if isinstance(found, Rejected):
            return found
        return {**found, "energy_pj": math.nextafter(found["energy_pj"], math.inf)}

    report = evolve(section, model=off).report()
    assert report.exact("energy") == 0
    assert report.exact("cycles") == len(report.valid)


def test_link_transfers_are_for_the_reference_alone(sections):
    assert against_kernel(sections[1]) is None
