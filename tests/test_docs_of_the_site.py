"""The tutorial works as it is typed, and each error class has its place."""

import inspect
import re
import shlex
from pathlib import Path

import cosearch.errors
from cosearch.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def read(page):
    return (DOCS / page).read_text(encoding="utf-8")


def test_the_tutorial_works(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    page = read("tutorial.md")
    blocks = re.findall(r"^```(console|python)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for language, block in blocks:
        if language == "python":
            exec(compile(block, "docs/tutorial.md", "exec"), {})
            continue
        for line in block.splitlines():
            assert main(shlex.split(line)[2:]) == 0, (line, capsys.readouterr().err)
    assert (tmp_path / "tutorial.csv").read_text().count("\n") == 1 + 1 + 18


def test_every_error_class_has_a_place():
    page = read("errors.md")
    for name, thing in vars(cosearch.errors).items():
        if inspect.isclass(thing) and issubclass(thing, cosearch.errors.CosearchError):
            assert f"\n## {name}\n" in page


def test_the_site_names_pages_that_are_there():
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r": (\S+\.md)$", site, re.MULTILINE)) - {"commands.md"}  # made
    assert len(named) > 30
    assert not [name for name in named if not (DOCS / name).is_file()]


def test_every_picture_is_shown_and_every_one_shown_is_there():
    shown = {
        (page.parent / name).resolve()
        for page in DOCS.rglob("*.md")
        for name in re.findall(r"!\[[^\]]*\]\(([^)]+\.svg)\)", page.read_text(encoding="utf-8"))
    }
    drawn = {path.resolve() for path in (DOCS / "pictures").glob("*.svg")}
    assert shown >= {path for path in drawn if not path.stem.endswith("-120")}
    assert not [path for path in shown if not path.is_file()]
