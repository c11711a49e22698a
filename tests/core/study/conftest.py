"""The plugins that misbehave, for tests of what a study makes of them."""

from pathlib import Path

import pytest

from cosearch.hooks.discovery import load_registry

BAD = Path(__file__).parents[2] / "data" / "misbehaving"


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BAD))
        yield load_registry(third_party=True)


@pytest.fixture
def bad(found, monkeypatch):
    monkeypatch.syspath_prepend(str(BAD))
    return found
