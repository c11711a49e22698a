"""The page of the exact mapper: its Python runs, its tables name what there is."""

import re
from pathlib import Path

from cosearch_plugins.mappers.exact.mapper import ExactMapper
from cosearch_plugins.mappers.exact.padding import Scope

PAGE = (Path(__file__).parents[1] / "docs/exact-mapper.md").read_text(encoding="utf-8")


def test_the_python_blocks_run_one_after_the_other():
    names = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/exact-mapper.md", "exec"), names)
    assert {"found", "odd"} <= set(names)


def test_every_scope_of_imperfect_factors_is_explained():
    section = PAGE.partition("## Imperfect factors")[2].partition("\n## ")[0]
    choices = ExactMapper.options["imperfect"].choices
    assert {"none", *Scope} == set(choices)
    for choice in choices:
        assert f"| `{choice}` |" in section
