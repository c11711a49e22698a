"""What stands under a key of a YAML file, as one line that fits into another file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from cosearch.errors import InputError

WIDEST = 2**31
"""Characters of a line: nothing is broken."""


class _Composer(yaml.SafeLoader):
    """Composes nodes and builds nothing."""


def excerpt(texts: Sequence[tuple[Path, str]], keys: Sequence[str], mark: str) -> str:
    """Return what stands under a key in each text, in YAML's flow style on one line.

    Lists of several texts are joined into one; tags such as `!Component` stay.

    Args:
        texts: files and what they hold.
        keys: from the top; one may hold several with dots, `compound_components.classes`.
        mark: begins the names of anchors, so that several excerpts can stand in one file.

    Raises:
        InputError: a text is no YAML, or has no such key.
    """
    found = [_under(*text, [step for key in keys for step in key.split(".")]) for text in texts]
    lists = [node for node in found if isinstance(node, yaml.SequenceNode)]
    if len(texts) == 1 and not lists:
        node = found[0]
    else:
        items = [item for node in found for item in _items(node)]
        node = yaml.SequenceNode("tag:yaml.org,2002:seq", items)
    for part in _all(node):
        if isinstance(part, yaml.CollectionNode):
            part.flow_style = True

    class _Dumper(yaml.SafeDumper):
        ANCHOR_TEMPLATE = f"{mark}%03d"

    line: str = yaml.serialize(node, Dumper=_Dumper, width=WIDEST, explicit_end=False)
    return line.removesuffix("...\n").strip()


def _under(path: Path, text: str, keys: Sequence[str]) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=_Composer)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise InputError(str(path), [f"is not YAML: {problem}"]) from None
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in pairs if name.value == key), None)
    if node is None:
        raise InputError(str(path), [f"has no {'.'.join(keys)!r}, which a template includes"])
    return node


def _items(node: yaml.Node) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _all(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield a node and everything in it, each once: aliases are the same node again."""
    seen: set[int] = set()
    left = [node]
    while left:
        part = left.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, yaml.SequenceNode):
            left += part.value
        elif isinstance(part, yaml.MappingNode):
            left += [child for pair in part.value for child in pair]
