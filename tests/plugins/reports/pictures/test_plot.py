"""`cosearch plot`: a picture of each kind, the same bytes for the same study."""

import builtins
import re

import pytest

from cosearch.cli import main
from cosearch.errors import MissingExtraError
from cosearch.hooks.discovery import load_registry
from cosearch.mapping.mapper import Budget
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run
from cosearch_plugins.reports.pictures.command import KINDS
from cosearch_plugins.reports.pictures.draw import DRAWN, picture


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("plot") / "cosearch.db"
    registry = load_registry(third_party=False)
    problem = plan(
        registry, "gemm:M=32,N=32,K=32", "gemmini", "random", objective="energy,area",
        mapper="random",
    )  # fmt: skip
    with Store(path) as store:
        study = open_study(store, registry, problem, Budget(trials=6), "mine")
        run(study, store, registry)
    return path, study


def test_the_command_knows_every_picture():
    assert tuple(DRAWN) == KINDS


@pytest.mark.parametrize("what", KINDS)
def test_each_picture_is_drawn_with_units_and_twice_alike(stored, what):
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    _, study = stored
    drawn = picture(study, what, "svg")
    assert drawn == picture(study, what, "svg")
    text = drawn.decode()
    assert "<svg" in text
    if what != "roofline":
        assert re.search(r">[\d.]+ [munpk]?J<", text)


@pytest.mark.parametrize(("kind", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_other_kinds_of_file(stored, tmp_path, kind, magic):
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    store, _ = stored
    path = tmp_path / f"picture.{kind}"
    assert main(["plot", "mine", "-o", str(path), "--store", str(store)]) == 0
    assert path.read_bytes().startswith(magic)


def test_what_cannot_be_drawn_is_one_message(stored, tmp_path, capsys):
    store, _ = stored
    words = ["plot", "mine", "--store", str(store)]
    assert main([*words, "--what", "frnt"]) == 2
    assert "did you mean 'front'" in capsys.readouterr().err
    assert main([*words, "-o", str(tmp_path / "x.gif")]) == 2
    assert ".svg, .png, .pdf" in capsys.readouterr().err


def test_without_matplotlib_one_sentence_says_what_to_install(stored, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError) as error:
        picture(stored[1], "energy", "svg")
    assert "pip install 'cosearch[plot]'" in error.value.hint
