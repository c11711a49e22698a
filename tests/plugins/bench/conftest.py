import json
from types import SimpleNamespace

import pytest

from cosearch.cli import main
from cosearch.hooks.discovery import load_registry


@pytest.fixture(scope="session")
def registry():
    return load_registry(third_party=False)


@pytest.fixture
def bench(capsys, monkeypatch):
    """Return a function that runs `cosearch bench-optimizers`, plain."""
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")

    def run(*arguments):
        code = main(["bench-optimizers", *map(str, arguments)])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err, json=lambda: json.loads(out))

    return run
