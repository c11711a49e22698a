from pathlib import Path

import pytest

BAD = Path(__file__).parents[2] / "data" / "misbehaving"


@pytest.fixture
def installed(cosearch, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BAD))
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    monkeypatch.chdir(tmp_path)
    return cosearch


def run(cosearch, fault, *more):
    words = ("-H", f"bad:fault={fault}", "-s", "bad", "-m", "random", "--trials", "3", "--batch", 3)
    return cosearch("run", "gemm:M=8,N=8,K=8", *words, *more)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_plugin_prints_is_a_note_and_no_result(installed, workers):
    result = run(installed, "print", "--json", "--workers", workers)
    assert result.code == 0, result.err
    assert result.json()["best"]
    assert "a plugin prints: hello from evaluate" in result.err
    assert "hello" not in result.out


def test_quiet_leaves_prints_out(installed):
    result = run(installed, "print", "--json", "--quiet")
    assert "hello" not in result.out + result.err


def test_what_a_plugin_prints_while_it_is_imported(cosearch, distribution, monkeypatch):
    monkeypatch.delenv("COSEARCH_NO_PLUGINS")
    distribution("talkative", "print('imported')\n")
    result = cosearch("list", "executors", "--json")
    assert result.json()
    assert "a plugin prints: imported" in result.err


def test_sys_exit_in_a_plugin_is_no_success(installed):
    result = run(installed, "mapspace-exits", "--json")
    assert result.code == 0
    assert "SystemExit" in str(result.json())
    strategy = ("-H", "bad", "-s", "bad:fault=exits", "-m", "bad", "--trials", "3")
    ended = installed("run", "gemm", *strategy)
    assert ended.code == 2
    assert "strategy 'bad" in ended.err
    assert "misbehaving 1.0 raised SystemExit in ask" in ended.err


def test_help_is_no_plugins_print(cosearch):
    assert "--workers" in cosearch("run", "--help").out
