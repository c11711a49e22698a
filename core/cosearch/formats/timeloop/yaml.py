"""Timeloop's YAML: tags such as `!Component`, and names with hyphens or underscores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cosearch.formats.yaml_source import YamlDocument, read_yaml_document

TAG = "!"
"""Key under which a mapping keeps its tag: `!Component {name: x}` becomes `{"!": "Component"}`."""


class _Loader(yaml.SafeLoader):
    """Keeps unknown tags of mappings; builds nothing but dictionaries, lists and scalars."""


def _tagged(loader: _Loader, tag: str, node: yaml.Node) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        return {**loader.construct_mapping(node, deep=True), TAG: tag}
    if isinstance(node, yaml.SequenceNode):
        return {"nodes": loader.construct_sequence(node, deep=True), TAG: tag}
    return {TAG: tag, "value": node.value}


_Loader.add_multi_constructor("!", _tagged)


def read_timeloop_yaml(path: Path) -> YamlDocument:
    """Return a document whose keys are spelled with underscores.

    Raises:
        InputError: the file is no YAML, or too large.
    """
    document = read_yaml_document(path, loader=_Loader)
    lines = {tuple(_spelled(step) for step in place): n for place, n in document.lines.items()}
    return YamlDocument(document.source, _respelled(document.data), lines)


def _respelled(data: Any) -> Any:  # noqa: ANN401
    if isinstance(data, dict):
        return {_spelled(key): _respelled(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_respelled(item) for item in data]
    return data


def _spelled(key: Any) -> Any:  # noqa: ANN401
    return key.replace("-", "_") if isinstance(key, str) else key
