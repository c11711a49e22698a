"""Timeloop's YAML: tags such as `!Component`, names with hyphens, merges `<<<`, and templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cosearch.errors import InputError
from cosearch.formats.yaml_source import Loader, YamlDocument, parse_yaml, read_text
from cosearch_plugins.formats.timeloop.templates import is_template, render

TAG = "!"
"""Key under which a mapping keeps its tag: `!Component {name: x}` becomes `{"!": "Component"}`."""

MERGE = "<<<"
"""Key whose mapping (or mappings, the first before the others) fills in what is not there, also
inside mappings that both have."""


class _Loader(Loader):
    """Keeps unknown tags of mappings; builds nothing but dictionaries, lists and scalars."""


def _tagged(loader: _Loader, tag: str, node: yaml.Node) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        return {**loader.construct_mapping(node, deep=True), TAG: tag}
    if isinstance(node, yaml.SequenceNode):
        return {"nodes": loader.construct_sequence(node, deep=True), TAG: tag}
    return {TAG: tag, "value": node.value}


_Loader.add_multi_constructor("!", _tagged)


def read_timeloop_yaml(path: Path) -> YamlDocument:
    """Return a document whose keys are spelled with underscores; a template is rendered first.

    Raises:
        InputError: the file is no YAML, or too large, or a template that cannot be rendered.
    """
    text = read_text(path)
    template = is_template(text)
    rendered = render(text, path) if template else text
    try:
        document = parse_yaml(rendered, str(path), _Loader)
    except InputError as error:
        hint = "the lines are those of the rendered template" if template else error.hint
        raise InputError(error.source, error.problems, error.hint or hint) from None
    lines = {tuple(_spelled(step) for step in place): n for place, n in document.lines.items()}
    return YamlDocument(document.source, _merged(_respelled(document.data)), lines)


def _respelled(data: Any) -> Any:  # noqa: ANN401
    if isinstance(data, dict):
        return {_spelled(key): _respelled(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_respelled(item) for item in data]
    return data


def _spelled(key: Any) -> Any:  # noqa: ANN401
    return key.replace("-", "_") if isinstance(key, str) else key


def _merged(data: Any) -> Any:  # noqa: ANN401
    """Return the data with every `<<<` carried out."""
    if isinstance(data, list):
        return [_merged(item) for item in data]
    if not isinstance(data, dict):
        return data
    own = {key: _merged(value) for key, value in data.items() if key != MERGE}
    below = data.get(MERGE) or []
    for other in below if isinstance(below, list) else [below]:
        if isinstance(other, dict):
            own = _filled(own, _merged(other))
    return own


def _filled(own: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    out = dict(own)
    for key, value in other.items():
        if key not in out:
            out[key] = value
        elif isinstance(out[key], dict) and isinstance(value, dict):
            out[key] = _filled(out[key], value)
    return out
