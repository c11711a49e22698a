"""Reporters are found by the suffix of a file, and files are written whole."""

from pathlib import Path

import pytest

from cosearch.errors import CosearchError, InputError, UnknownNameError
from cosearch.hooks.discovery import load_registry
from cosearch.reporting.reporter import reporter_for, write_whole


def test_the_suffix_names_the_reporter():
    made = reporter_for(Path("a/page.HTML"), load_registry(third_party=False))
    assert type(made).__name__ == "HtmlReporter"


def test_another_suffix_is_refused_with_those_there_are():
    registry = load_registry(third_party=False)
    with pytest.raises(UnknownNameError) as error:
        reporter_for(Path("page.docx"), registry)
    assert "html" in error.value.hint
    with pytest.raises(CosearchError, match="suffix") as without:
        reporter_for(Path("page"), registry)
    assert ".html" in without.value.hint


def test_a_file_that_cannot_be_written_is_one_message(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "nowhere" / "page.html", "text")


def test_a_file_is_whole(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "ä")
    assert path.read_bytes() == "ä".encode()
    assert list(tmp_path.iterdir()) == [path]
