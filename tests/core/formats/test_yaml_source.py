from __future__ import annotations

from pathlib import Path

import pytest

from cosearch.errors import InputError
from cosearch.formats.yaml_source import parse_yaml, read_yaml_document

LIST_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {k: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}]}}\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_values_know_their_lines() -> None:
    document = parse_yaml("a: 1\nb:\n  - x\n  - {c: 2}\n", "f.yaml")
    assert document.data == {"a": 1, "b": ["x", {"c": 2}]}
    assert document.at("b", 1, "c") == "f.yaml:4"
    assert document.at("b", 1, "missing") == "f.yaml:4"
    assert document.at() == "f.yaml:1"


def test_aliases_and_merges_in_measure_are_read() -> None:
    document = parse_yaml("base: &b {k: 1}\nother: {<<: *b, j: 2}\n", "f.yaml")
    assert document.data["other"] == {"k": 1, "j": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LIST_BOMB, "once its aliases are written out"),
        (MERGE_BOMB, "once its aliases are written out"),
        ("&a [*a]", "an alias contains itself"),
        ("[" * 100_000, "nested too deeply"),
        ("a: 1\na: 2", "line 2: 'a' stands twice"),
        ("a: [", "f.yaml:1: is not YAML"),
        ("", "is empty"),
        ("# only a comment", "is empty"),
        ("a: !!python/object/apply:os.system ['true']", "is not YAML: could not determine"),
        ("a: !!int x", "a value that cannot be read"),
        ("a: " + "9" * 6000, "a value that cannot be read"),
        ("- 1\n---\n- 2\n", "another document"),
        ("a: \x00", "is not YAML"),
        ("? [a, b]\n: 1", "unhashable key"),
    ],
)
def test_bad_text_gets_one_message(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "f.yaml")
    assert told in str(caught.value)
    assert len(str(caught.value)) < 500


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(InputError, match=r"is not UTF-8 text \(byte 3\)"):
        read_yaml_document(path)


def test_large_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"#" * 16_000_001)
    with pytest.raises(InputError, match="larger than 16,000,000 bytes"):
        read_yaml_document(path)
