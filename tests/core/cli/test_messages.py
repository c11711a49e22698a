"""Whose fault it is, and what is missing: what commands say when a plugin is broken."""

import pytest

from cosearch.cli import main

BROKEN = "raise ImportError('no such library')"

RAISING = """
    from cosearch.registry.registration import hookimpl

    @hookimpl
    def cosearch_commands(app):
        @app.command("stumble")
        def stumble():
            raise ZeroDivisionError("nothing to divide by")
"""


@pytest.mark.parametrize(
    "words",
    [
        ["run", "gemm:M=8,N=8,K=8", "-H", "systolic", "-s", "acme"],
        ["show", "strategy", "acme"],
        ["acme"],
        ["list"],
        ["--help"],
    ],
)
def test_a_broken_plugin_is_named_wherever_its_names_would_have_stood(distribution, capsys, words):
    distribution("acme-search", BROKEN)
    main(words)
    told = " ".join("".join(capsys.readouterr()).split())
    assert "of acme-search 1.0; see: cosearch doctor" in told


def test_a_fault_of_a_plugin_is_exit_code_2_with_its_distribution(distribution, capsys):
    distribution("clumsy", RAISING)
    assert main(["stumble"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "a plugin of clumsy 1.0 raised ZeroDivisionError: nothing to divide by" in told
    assert "--debug" in told


def test_a_fault_of_ours_is_exit_code_70(monkeypatch, capsys):
    def stumble(*_, **__):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("cosearch.cli.list.entries_of", stumble)
    assert main(["list"]) == 70
    assert "this is a bug: ZeroDivisionError: ours" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("words", [["-o", "error"], ["--constraint", "accuracy>=70"]])
def test_the_accuracy_of_a_single_network_is_refused_at_once(capsys, words, tmp_path):
    store = ["--store", str(tmp_path / "s.db")]
    assert main(["run", "gemm:M=8,N=8,K=8", "-H", "systolic", *words, *store]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "no accuracy is known of the network" in told
    assert "network-spaces" in told
    assert not (tmp_path / "s.db").exists()
