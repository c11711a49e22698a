"""Parts of compiled code: kept, found again, compiled anew when what they call changes."""

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cosearch.compiling import cache, parts

SOURCE = """
import numpy as np
from cosearch.compiling.bundle import Floats
from cosearch.compiling.functions import allocating, compiled
from cosearch.compiling.parts import Part

PART = Part(__name__, "PART", "a part")
FACTOR = 2.0

@compiled
def scaled(x: float) -> float:
    return x * FACTOR

@allocating
def ones(n: int):
    return np.ones(n)

@PART.entry(allocates=True)
def total(values: Floats) -> float:
    out = 0.0
    for i in range(len(values)):
        out += scaled(values[i])
    return out + ones(3).sum()
"""

RUN = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
import numpy as np
from cosearch.compiling.parts import prepare
import small
prepare(small.PART)
hits = small.total.stats.cache_hits
print("total", small.total(np.arange(4.0)), sum(hits.values()))
"""


@pytest.fixture
def small(tmp_path):
    """Run a program with a small module of compiled code; return what it prints."""
    folder = tmp_path / "code"
    folder.mkdir()

    def run(source=SOURCE, program=RUN, **environment):
        (folder / "small.py").write_text(textwrap.dedent(source))
        path = ":".join(sys.path)
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={
                "PATH": "",
                "HOME": str(tmp_path),
                "PYTHONPATH": path,
                **environment,
            },
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    run.folder = folder
    return run


def test_code_is_compiled_once_and_again_when_a_callee_changes(small):
    first, second = small(), small()
    assert first[0].startswith("compiling a part (once per installation)")
    assert first[-1] == "total 15.0 0"
    assert second == ["total 15.0 1"]
    commented = small(SOURCE.replace("    return x", "    # as it is\n    return x"))
    assert commented == ["total 15.0 1"]
    changed = small(SOURCE.replace("FACTOR = 2.0", "FACTOR = 3.0"))
    assert changed[-1] == "total 21.0 0"
    assert len(list((small.folder / "__pycache__").glob(f"*{cache.SUFFIX}"))) == 1


def test_a_broken_file_is_compiled_anew(small):
    small()
    for path in (small.folder / "__pycache__").glob(f"*{cache.SUFFIX}"):
        path.write_bytes(b"no code")
    assert small()[-1] == "total 15.0 0"
    assert small()[-1] == "total 15.0 1"


def unwritable(monkeypatch, *kinds):
    """Make folders of some kinds refuse to be written."""
    usual = cache.Folder.is_writable
    monkeypatch.setattr(
        cache.Folder, "is_writable", lambda self: self.why not in kinds and usual(self)
    )


def test_where_the_installation_cannot_be_written_the_home_is_used(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    unwritable(monkeypatch, "beside the sources")
    found = cache.place(tmp_path / "package")
    assert found.path.is_relative_to(tmp_path / "cosearch")
    assert found.why == "the installation cannot be written"


def test_then_a_folder_of_ones_own_in_the_temporary_one(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(cache.tempfile, "tempdir", None)
    unwritable(monkeypatch, "beside the sources", "the installation cannot be written")
    found = cache.place(tmp_path / "package")
    assert found.path.is_relative_to(tmp_path)
    assert found.is_trusted()
    found.path.chmod(0o777)
    assert not found.is_trusted()


def test_then_none_with_one_sentence(monkeypatch, caplog):
    monkeypatch.setattr(parts, "place", lambda _: None)
    part = parts.Part(__name__, "NOTHING", "nothing")

    @part.entry()
    def one(x: int) -> int:
        return x + 1

    monkeypatch.setattr(cache, "place", lambda _: None)
    with caplog.at_level(logging.INFO, logger="cosearch"):
        parts.prepare(part)
    assert [m for m in caplog.messages if "cannot be kept" in m] == caplog.messages[:1]
    assert one(2) == 3


def test_an_entry_takes_the_types_of_its_annotations_alone():
    part = parts.Part(__name__, "TYPED", "typed")

    @part.entry()
    def half(x: float) -> float:
        return x / 2

    with pytest.raises(TypeError, match=r"half takes \(float64,\), not \(int64,\)"):
        half(3)


def test_two_processes_share_the_work(small, tmp_path):
    two = f"""
import subprocess, sys
{RUN.splitlines()[0]}
runs = [subprocess.Popen([sys.executable, "-c", {RUN!r}], stdout=subprocess.PIPE, text=True)
        for _ in range(2)]
for one in runs:
    print(one.communicate()[0].splitlines()[-1])
"""
    assert sorted(small(program=two)) == ["total 15.0 0", "total 15.0 1"]
    assert not list(Path(small.folder, "__pycache__").glob("tmp*"))
