import json
from types import SimpleNamespace

import pytest

from cosearch.cli import main


@pytest.fixture
def cosearch(capsys, monkeypatch):
    """Return a function that runs one command line, plain and without third-party plugins."""
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    for name in ("COSEARCH_DEBUG", "COSEARCH_TRACE", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err, json=lambda: json.loads(out))

    return run


@pytest.fixture
def refused(cosearch):
    """Return a function that runs a command line which must end as one message and code 2."""

    def run(*arguments):
        result = cosearch(*arguments)
        assert result.code == 2, result
        assert result.out == ""
        assert result.err.startswith("error: ")
        assert "Traceback" not in result.err
        return result.err

    return run
