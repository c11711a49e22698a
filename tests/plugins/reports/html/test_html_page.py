"""Pages are whole, self-contained, and take text for text."""

import re

import pytest

from cosearch.errors import MissingExtraError
from cosearch_plugins.reports.html import page as page_module
from cosearch_plugins.reports.html.page import Section, folded, page, table, text

NASTY = '<script>alert("&")</script>'


def test_text_is_escaped_everywhere():
    body = table((NASTY,), [(NASTY,)]) + text([NASTY]) + folded(NASTY, "")
    made = page(NASTY, NASTY, [Section(NASTY, NASTY, body)])
    assert NASTY not in made
    assert made.count("&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;") == 11


def test_nothing_is_loaded_from_elsewhere():
    made = page("x", "y", [])
    loads = re.findall(r"<(?:script|img|link|iframe)[^>]*?(?:src|href)=\"([^\"]*)\"", made)
    assert loads == ["data:,"]


def test_without_plotly_one_sentence_says_what_to_install(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("plotly"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError) as error:
        page_module.page("x", "y", [])
    assert "pip install 'cosearch[html]'" in error.value.hint
