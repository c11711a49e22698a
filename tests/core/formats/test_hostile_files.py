"""Whatever is in a file or an option, what comes of it is a result or one message.

What a fuzzer once found is kept in `FOUND`; the fuzzer itself is `benchmarks/fuzz.py`.
"""

import random
import sys
from pathlib import Path

import pytest
import yaml

from cosearch.errors import CosearchError, PluginError
from cosearch.formats.yaml_source import LARGEST_DOCUMENT, parse_yaml, read_yaml_document
from cosearch.hooks.discovery import load_registry
from cosearch.search.objective import Constraint
from cosearch.study.building import make_hardware
from cosearch.workload.source import resolve

BENCHMARKS = str(Path(__file__).parents[3] / "benchmarks")
sys.path.insert(0, BENCHMARKS)
import fuzz  # noqa: E402

sys.path.remove(BENCHMARKS)

FOUND = {
    "bool": "layers: !!bool 1\n",
    "int": "layers: !!int ''\n",
    "float": "a: !!float x\n",
    "null-tag": "a: !!null {}\n",
    "timestamp": "layers: !!timestamp x\n",
    "month": "name: 2020-13-45\n",
    "zone": "name: 2001-12-14t21:59:43.10-99:99\n",
    "digits": "layers: [{name: a, gemm: [" + "9" * 5000 + ", 1, 1]}]\n",
    "hexadecimal": "layers: [{name: a, gemm: [0x" + "f" * 4000 + ", 1, 1]}]\n",
    "sexagesimal": "a: " + ":".join(["59"] * 400) + "\n",
    "binary": "a: !!binary '='\n",
    "set": "a: !!set {b, c}\n",
    "omap": "a: !!omap [b: 1]\n",
    "pairs": "a: !!pairs [b: 1]\n",
    "python": "a: !!python/object/apply:os.system ['true']\n",
    "unhashable": "? [a]\n: b\n",
    "unhashable-map": "? {a: 1}\n: b\n",
    "itself": "a: &x [*x]\n",
    "merge-itself": "a: &x {<<: *x}\n",
    "merge-text": "a: {<<: b}\n",
    "value": "a: {=: 1}\n",
    "deep": "[" * 1500,
    "surrogate": 'name: "\\ud800"\nlayers: []\n',
    "escape": 'name: "\\e]0;owned\\a"\nlayers: [{name: "\\e[31m", gemm: [1, 2, 3]}]\n',
    "nul": "name: \0\n",
    "two": "a: 1\n---\nb: 2\n",
    "nothing": "",
    "comment": "# nothing\n",
    "nan": "layers: [{name: a, gemm: [.nan, 1, 1]}]\n",
    "infinite": "layers: [{name: a, gemm: [.inf, 1, 1]}]\n",
    "negative": "layers: [{name: a, gemm: [-1, 1, 1]}]\n",
    "text-number": "layers: [{name: a, gemm: ['1', 1, 1]}]\n",
    "version": "architecture: {version: 2020-01-01, nodes: []}\n",
}

OPTIONS = (
    "~nobody",
    "~nobody/x.yaml",
    "~no\0body",
    "~\udcff",
    "a" * 5000,
    "x.yaml\0",
    "\0",
    "eyeriss:",
    "eyeriss:=",
    "eyeriss:technology",
    "eyeriss:technology=\ud800",
    "gemm:M=1e400,N=1,K=1",
    "gemm:M=" + "9" * 5000,
    "gemm:M=-1",
    "gemm:M=1,M=2",
    "resnet18:\x1b[31m",
    "[a,b] = [c]; a=1",
    "O[m,n] += A[m,k] * B[k,n]; m=1" + "0" * 400,
    "conv(stride=0)",
    ":::",
    "=,=",
    "/dev/null",
    "/",
    "..",
    "%s%n",
    "area_mm2<=" + "9" * 400,
    "area_mm2<=nan",
    "<=1",
)


@pytest.fixture(scope="module")
def registry():
    return load_registry(third_party=False)


def outcome(act, *given):
    """Return a message, or the empty string where something came of it."""
    try:
        act(*given)
    except PluginError:
        raise
    except (CosearchError, OSError) as error:
        return str(error) or "no message"
    return ""


def read_in_every_way(path, registry):
    outcome(resolve, str(path), registry)
    outcome(make_hardware, str(path), registry)


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_once_is_a_message(name, registry, tmp_path):
    path = tmp_path / "found.yaml"
    path.write_bytes(FOUND[name].encode("utf-8", "surrogatepass"))
    outcome(read_yaml_document, path)
    read_in_every_way(path, registry)


@pytest.mark.parametrize("text", OPTIONS, ids=range(len(OPTIONS)))
def test_options_are_a_message(text, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome(resolve, text, registry)
    outcome(make_hardware, text, registry)
    outcome(Constraint.parse, text, registry.objectives)
    for kind in ("strategies", "mappers", "executors", "technologies", "schemes"):
        outcome(registry.find, kind, text)


def test_dates_are_texts_and_other_types_are_refused():
    assert parse_yaml("a: 2020-01-02", "f").data == {"a": "2020-01-02"}
    assert parse_yaml("{a: 1, b: [x, 2.5, null, true]}", "f").data == {
        "a": 1,
        "b": ["x", 2.5, None, True],
    }
    for text in ("!!set {a}", "!!python/name:os.system", "!!timestamp 2020-01-02"):
        assert "is not YAML" in outcome(parse_yaml, text, "f")


def test_a_long_text_reads_as_a_short_one(monkeypatch):
    text = "layers:\n" + "".join(
        f"  - {{name: 'l{i}', gemm: [{i}, 2, 3], on: 2020-01-02, yes: true, f: 1e3, n: ~}}\n"
        for i in range(1, 40)
    )
    short = parse_yaml(text, "f")
    monkeypatch.setattr("cosearch.formats.yaml_source.LONG", 100)
    assert parse_yaml(text, "f") == short


def test_a_file_of_fifteen_megabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "big.yaml"
    path.write_text("layers:\n" + "  - {name: a, gemm: [1, 2, 3]}\n" * 480_000)
    assert path.stat().st_size > 14_000_000
    assert f"more than {LARGEST_DOCUMENT:,} values" in outcome(read_yaml_document, path)


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML has no C parser here")
def test_a_deep_text_is_refused():
    assert "nest" in outcome(parse_yaml, "[" * 600_000, "f")


def test_mutated_files_and_options_are_results_or_messages(tmp_path):
    found = fuzz.fuzz(60, 0, tmp_path)
    assert found.leaks == {}
    assert found.outcomes["read"] > 10
    assert found.outcomes["refused"] > 60


@pytest.mark.parametrize("error", [PluginError("m", "raised"), ValueError("x"), "bug"])
def test_the_fuzzer_sees_leaks(tmp_path, error):
    fuzzer = fuzz.Fuzzer(random.Random(0), tmp_path)

    def act():
        if isinstance(error, Exception):
            raise error
        return error

    fuzzer.tried(act, b"x")
    assert len(fuzzer.leaks) == 1


@pytest.mark.exhaustive
def test_very_many_mutated_files_and_options(tmp_path):
    assert fuzz.fuzz(5_000, 1, tmp_path).leaks == {}
