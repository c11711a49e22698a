"""Throw-away distributions: what `pip install` leaves behind, without pip."""

import itertools
import textwrap

import pytest

_NUMBERS = itertools.count()


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Return a function that installs a plugin module as a distribution of its own.

    Each gets a site directory of its own on sys.path and a module name of its own; `MODULE` in
    the source stands for it.
    """

    def install(name, source, *, version="1.0", entry="plugin", module=None):
        module = module or f"thrown_away_{next(_NUMBERS)}"
        site = tmp_path / f"site-{module}"
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        text = textwrap.dedent(source).replace("MODULE", module)
        (site / f"{module}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[cosearch]\n{entry} = {module}\n")
        monkeypatch.syspath_prepend(site)
        return module

    return install
