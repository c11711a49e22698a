"""The example plugin, loaded as a package that pip installed, in a process of its own."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "cosearch-example-plugin"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that runs Python with the example installed beside cosearch."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    site = tmp_path_factory.mktemp("site")
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"]["cosearch"]
    (info / "entry_points.txt").write_text(
        "[cosearch]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
    )
    path = os.pathsep.join([str(site), str(EXAMPLE / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)}
    environment.pop("COSEARCH_NO_PLUGINS", None)

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=site,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_everything_it_registers_is_listed_with_its_distribution(run):
    entries = json.loads(run("-m", "cosearch", "list", "--json"))
    mine = {e["name"] for e in entries if e["distribution"] == "cosearch-example-plugin 1.0"}
    assert mine == {"tinycore", "hill-climb", "lenet5"}


def test_its_machine_is_mapped(run):
    facts = json.loads(run("-m", "cosearch", "map", "lenet5", "-H", "tinycore", "--json"))
    assert facts["complete"]
    assert len(facts["layers"]) == 5


def test_its_own_tests_pass(run):
    out = run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE))
    assert "passed" in out


def test_the_machine_takes_less_than_sixty_lines():
    source = EXAMPLE / "src" / "cosearch_example" / "hardware.py"
    assert len(source.read_text().splitlines()) < 60
