"""What the page on strategies says is true: its blocks are run; every option is described."""

import re
from pathlib import Path

from cosearch.hooks.discovery import load_registry

PAGE = (Path(__file__).parents[1] / "docs" / "strategies.md").read_text(encoding="utf-8")


def test_the_python_blocks_work(monkeypatch):
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    names = {"__name__": "page"}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(compile(block, "docs/strategies.md", "exec"), names)
    assert names["rows"].shape == (4, 3)
    assert len(names["study"].trials) == 5


def test_every_strategy_and_option_is_described():
    registry = load_registry(third_party=False)
    for name in registry.names("strategies"):
        assert f"| `{name}` |" in PAGE, name
        for option in registry.find("strategies", name).target.options.names:
            assert f"`{option}" in PAGE, (name, option)
