import json
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import fields

from cosearch.errors import InputError, UnknownNameError
from cosearch.trials.setting import KEY
from cosearch.trials.spec import SETTINGS, VARIED, StudySpec


def test_every_field_says_what_it_is():
    for attribute in fields(StudySpec):
        assert attribute.metadata[KEY].about.endswith(".")


def test_no_two_settings_have_a_flag_in_common():
    flags = [flag for a in SETTINGS.values() for flag in a.metadata[KEY].flags]
    assert len(flags) == len(set(flags))
    assert set(VARIED) <= set(SETTINGS)


def test_a_setting_that_does_not_exist_suggests_near_ones():
    with pytest.raises(UnknownNameError, match="setting 'objectve'") as caught:
        StudySpec.of("gemm", "toy", objectve="edp")
    assert "objective" in caught.value.hint


@pytest.mark.parametrize(
    "given",
    [{"seed": -1}, {"seed": "3"}, {"batch": 0}, {"batch": True}, {"mapper_seconds": float("nan")}],
)
def test_a_number_that_is_out_of_the_question(given):
    (name,) = given
    with pytest.raises(InputError, match=f"{name}="):
        StudySpec.of("gemm", "toy", **given)


def test_a_choice_that_does_not_exist():
    with pytest.raises(UnknownNameError, match="combine 'layer'"):
        StudySpec.of("gemm", "toy", combine="layer")


ADDED = """    patience: int = setting(
        "How long to wait for a better design.",
        "--patience",
        metavar="N",
        least=1,
        maps=True,
        default=7,
        before=7,
    )

    @classmethod
    def of("""

PATCHED = """
import json, sys, types
from importlib.util import find_spec
source = find_spec("cosearch.trials.spec").loader.get_source("cosearch.trials.spec")
module = types.ModuleType("cosearch.trials.spec")
sys.modules["cosearch.trials.spec"] = module
assert source.count("    @classmethod\\n    def of(") == 1
exec(source.replace("    @classmethod\\n    def of(", ADDED), vars(module))

from cosearch.cli.app import run
from cosearch.compare.contest import Contest
from cosearch.hooks.discovery import load_registry
from cosearch.integrations.designs import Designs
from cosearch.mapping.mapper import Budget
from cosearch.study.codesign import plan

for command in ("run", "compare", "map"):
    run([command, "--help"])
registry, shared = load_registry(), {"patience": 9}
contest = Contest(("random", "annealing"), ("systolic",), ("gemm",), 1, Budget(trials=1), shared)
designs = Designs.of("gemm", "systolic", registry=registry, patience=3)
old = plan(registry, "gemm", "systolic", "random").spec
print(json.dumps({
    "plan": plan(registry, "gemm", "systolic", "random", patience=2).spec.patience,
    "compare": [r.spec.patience for r in contest.runs(registry)],
    "designs": designs.problem.spec.patience,
    "old": "patience" in old.to_json(),
    "back": module.StudySpec.from_json(old.to_json()).patience,
}))
"""


def test_a_new_setting_touches_the_file_of_the_settings_alone():
    done = subprocess.run(
        [sys.executable, "-c", f"ADDED = {ADDED!r}\n" + PATCHED],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert done.returncode == 0, done.stderr
    *helped, facts = done.stdout.splitlines()
    about = "How long to wait for a better design.  [default: 7; at least 1]"
    assert sum(" --patience N " in line for line in helped) == 3
    assert " ".join(" ".join(helped).split()).count(" ".join(about.split())) == 3
    assert json.loads(facts) == {
        "plan": 2,
        "compare": [9, 9],
        "designs": 3,
        "old": False,
        "back": 7,
    }
