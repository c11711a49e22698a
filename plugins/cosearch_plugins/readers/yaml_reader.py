"""The YAML reader: cosearch's own workload files, and those of Timeloop, ZigZag and AccelForge.

```yaml
version: 1
name: tiny
layers:
  - name: conv1
    conv: {K: 16, C: 3, P: 32, Q: 32, R: 3, S: 3, stride: 2}
  - name: projection
    count: 4
    gemm: {M: 64, N: 128, K: 128}
    bits: {Weights: 4, Inputs: 8, Outputs: 32}   # of an element; a word of the memory without it
  - name: scores
    einsum: "S[h,m,n] += Q[h,m,e] * K[h,n,e]"
    sizes: {h: 8, m: 64, n: 64, e: 16}
  - name: values
    einsum: "V[h,m,e] += S[h,m,n] * X[h,n,e]"
    sizes: {h: 8, m: 64, n: 64, e: 16}
    weights: X
    reads: {layer: scores, operand: S, whole: [2]}   # nobody else does; a softmax needs all of n
```

`workload.schema.json` beside this module is the format's JSON Schema. A file may also hold a single
layer at its top. Everything wrong with a file is reported at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cosearch.errors import CosearchError, InputError, near_names
from cosearch.formats.yaml_source import Place, YamlDocument
from cosearch.workload.einsum import WIDEST, Einsum, conv, gemm
from cosearch.workload.language import MAX_SIZE, parse_einsum
from cosearch.workload.network import Layer, Network
from cosearch_plugins.formats.timeloop.yaml import read_timeloop_yaml
from cosearch_plugins.readers.accelforge.reader import is_accelforge, read_accelforge
from cosearch_plugins.readers.timeloop_reader import timeloop_network
from cosearch_plugins.readers.yaml_links import read_links
from cosearch_plugins.readers.zigzag.reader import is_zigzag, read_zigzag

VERSION = 1
KINDS = ("conv", "gemm", "einsum")
LAYER_FIELDS = ("name", "count", "sizes", "weights", "reads", "bits", *KINDS)
SHAPES: dict[str, Callable[..., Einsum]] = {"conv": conv, "gemm": gemm}
FIELDS = {kind: inspect.signature(make).parameters for kind, make in SHAPES.items()}
FILE_FIELDS = ("version", "name", "source", "layers")
TIMELOOP_FIELDS = ("problem", "prob", "shape")


def read_yaml(path: Path) -> Network:
    """Return the network in a YAML or JSON file.

    Raises:
        InputError: with every problem found, each with its line.
    """
    document = read_timeloop_yaml(path)
    if isinstance(document.data, dict) and any(f in document.data for f in TIMELOOP_FIELDS):
        return timeloop_network(document, path)
    if is_zigzag(document):
        return read_zigzag(document, path)
    if is_accelforge(document):
        return read_accelforge(document, path)
    return _Reader(document).network(path.stem)


class _Reader:
    """Reads one document and collects its problems."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document
        self.problems: list[str] = []

    def network(self, default_name: str) -> Network:
        data = self.document.data
        if not isinstance(data, dict):
            raise InputError(
                self.document.source,
                ["is not a workload: its top is not a mapping of fields to values"],
                "see docs/workloads.md for the format",
            )
        single = any(kind in data for kind in KINDS)
        self._check_head(data, single=single)
        if single:
            layers = [self._layer({k: v for k, v in data.items() if k in LAYER_FIELDS}, ())]
        else:
            layers = self._layers(data.get("layers"))
        if self.problems:
            raise InputError(self.document.source, self.problems)
        kept = tuple(layer for layer in layers if layer is not None)
        links = [] if single else read_links(data["layers"], kept, self._add)
        if self.problems:
            raise InputError(self.document.source, self.problems)
        source = str(data.get("source", self.document.source))
        return Network(str(data.get("name", default_name)), kept, source=source, links=tuple(links))

    def _check_head(self, data: dict[Any, Any], *, single: bool) -> None:
        self._refuse_unknown(data, (*FILE_FIELDS, *LAYER_FIELDS) if single else FILE_FIELDS, ())
        if data.get("version", VERSION) != VERSION:
            self._add(f"is {data['version']!r}; this cosearch reads version {VERSION}", "version")
        if "version" not in data:
            self._add(f"the field 'version: {VERSION}' is missing")

    def _layers(self, items: object) -> list[Layer | None]:
        if not isinstance(items, list) or not items:
            self._add("needs a list of at least one layer", "layers")
            return []
        return [self._layer(item, ("layers", i)) for i, item in enumerate(items)]

    def _layer(self, item: object, place: Place) -> Layer | None:
        if not isinstance(item, dict):
            self._add("is not a layer: not a mapping of fields to values", *place)
            return None
        before = len(self.problems)
        self._refuse_unknown(item, LAYER_FIELDS, place)
        kinds = [kind for kind in KINDS if kind in item]
        if len(kinds) != 1:
            self._add(f"needs exactly one of {', '.join(KINDS)}", *place)
            return None
        count = self._whole(item.get("count", 1), (*place, "count"))
        name = str(item.get("name", f"layer{place[-1]}" if place else kinds[0]))
        if kinds[0] == "einsum":
            einsum = self._einsum(item, name, place)
        else:
            einsum = self._shaped(kinds[0], item[kinds[0]], name, (*place, kinds[0]))
        if einsum is not None and "bits" in item:
            einsum = einsum.with_bits(self._bits(item["bits"], einsum, (*place, "bits")))
        return Layer(einsum, count) if einsum and len(self.problems) == before else None

    def _einsum(self, item: dict[str, Any], name: str, place: Place) -> Einsum | None:
        sizes, text, weights = item.get("sizes"), item["einsum"], item.get("weights")
        if not isinstance(sizes, dict) or not all(isinstance(k, str) for k in sizes):
            self._add("needs a size for every dimension, such as {m: 64, n: 64}", *place, "sizes")
            return None
        try:
            return parse_einsum(str(text), sizes, name=name, weights=weights)
        except InputError as error:
            for problem in error.problems:
                self._add(problem, *place, "einsum")
            return None

    def _bits(self, given: object, einsum: Einsum, place: Place) -> dict[str, int]:
        """Return the bits of an element by tensor or role."""
        if not isinstance(given, dict):
            self._add("needs bits by tensor, such as {Weights: 8, Outputs: 32}", *place)
            return {}
        names = dict.fromkeys(name for t in einsum.tensors for name in (t.name, t.role))
        self._refuse_unknown(given, tuple(names), place)
        for name, bits in given.items():
            if type(bits) is not int or not 1 <= bits <= WIDEST:
                self._add(f"{bits!r} is not a number of bits from 1 to {WIDEST}", *place, name)
        return {n: b for n, b in given.items() if type(b) is int and 1 <= b <= WIDEST}

    def _shaped(self, kind: str, given: object, name: str, place: Place) -> Einsum | None:
        make = SHAPES[kind]
        fields = FIELDS[kind]
        if not isinstance(given, dict):
            self._add(f"needs sizes, such as {{{', '.join(list(fields)[1:4])}}}", *place)
            return None
        before = len(self.problems)
        self._refuse_unknown(given, tuple(fields)[1:], place)
        needed = [n for n, p in fields.items() if p.default is p.empty and n not in given]
        if needed:
            self._add(f"has no size for {', '.join(needed)}", *place)
        values = {k: self._size(k, v, (*place, k)) for k, v in given.items() if k in fields}
        if len(self.problems) > before:
            return None
        try:
            return make(name, **values)
        except CosearchError as error:
            self._add(str(error), *place)
            return None

    def _size(self, name: str, value: object, place: Place) -> int | tuple[int, int]:
        if name not in ("stride", "dilation"):
            return self._whole(value, place)
        pair = value if isinstance(value, list) else [value, value]
        if len(pair) != 2:
            self._add("is not a number or [along the width, along the height]", *place)
            return 1
        return (self._whole(pair[0], place), self._whole(pair[1], place))

    def _whole(self, value: object, place: Place) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SIZE:
            return value
        self._add(f"{value!r} is not a whole number from 1 to {MAX_SIZE}", *place)
        return 1

    def _refuse_unknown(self, item: dict[Any, Any], known: tuple[str, ...], place: Place) -> None:
        for key in item:
            if key not in known:
                near = near_names(str(key), known)
                self._add(f"there is no field {str(key)!r} here; {near}", *place, str(key))

    def _add(self, problem: str, *place: str | int) -> None:
        line = self.document.at(*place).rpartition(":")[2]
        field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
        self.problems.append(f"line {line}: {field + ': ' if field else ''}{problem}")
