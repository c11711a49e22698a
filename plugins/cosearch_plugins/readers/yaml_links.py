"""Links in cosearch's own workload files: a layer says which layers' outputs it reads.

```yaml
reads: {layer: scores, operand: S, axes: [0, 1, 2], whole: [2]}   # or a list of such
```

`axes` are, of the other layer's output in order, the operand's axes (all in order where it is left
out; null for one of length 1 that the operand does not have), `whole` those of the output that
may not be cut. `written: true` says that others read the tensor too, such as a residual's sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from cosearch.errors import MOST_PROBLEMS, CosearchError, near_names
from cosearch.quantities import added
from cosearch.workload.link import Link, extent, operand_of, refuse_broken
from cosearch.workload.network import Layer

FIELDS = ("layer", "operand", "axes", "whole", "written")

Add = Callable[..., None]
"""Notes a problem, with the place of it."""


def read_links(items: Sequence[Any], layers: Sequence[Layer], add: Add) -> list[Link]:
    """Return the links that layers state.

    Args:
        items: the layers as the file has them.
        layers: themselves.
        add: notes what is wrong.
    """
    links: list[Link] = []
    known = _Layers(layers)
    for i, item in enumerate(items):
        given = item.get("reads", [])
        several = given if isinstance(given, list) else [given]
        for one in several:
            links += _link(one, i, known, partial(_add_at, add, i))
    readers: dict[int, list[int]] = {}
    for link in links:
        readers.setdefault(link.producer, []).append(link.consumer)
    for link in links:
        others = readers[link.producer]
        if len(others) > 1 and others[-1] == link.consumer:
            name = layers[link.producer].name
            told = f"{name!r} is read twice: one of its readers is linked, with 'written: true'"
            add(told, "layers", link.consumer, "reads")
    for link in _second_ends(links):
        told = f"the output of another layer is read as {link.operand!r} too"
        add(told, "layers", link.consumer, "reads")
    return links


class _Layers:
    """The layers of a file, looked up by name: a file may have thousands, each with a link."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = layers
        self.runs = [(layer.einsum, layer.count) for layer in layers]
        self.places: dict[str, list[int]] = {}
        for i, layer in enumerate(layers):
            self.places.setdefault(layer.name, []).append(i)
        self._unknown = 0

    def near(self, name: str, consumer: int) -> str:
        """Return the names before a layer that are like one; of no more than are ever shown."""
        self._unknown += 1
        others = [layer.name for layer in self.layers[:consumer]]
        seldom = others and self._unknown <= MOST_PROBLEMS
        return f"; {near_names(name, others)}" if seldom else ""


def _second_ends(links: Sequence[Link]) -> Iterator[Link]:
    """Yield links to an operand that another layer's output is already."""
    ends: dict[tuple[int, str], int] = {}
    for link in links:
        if ends.setdefault((link.consumer, link.operand), link.producer) != link.producer:
            yield link


def _add_at(add: Add, layer: int, text: str) -> None:
    add(text, "layers", layer, "reads")


def _link(
    given: object, consumer: int, known: _Layers, add: Callable[[str], None]
) -> Iterator[Link]:
    layers = known.layers
    if not isinstance(given, dict) or "layer" not in given:
        add("needs the field 'layer': whose output is read, such as {layer: conv1}")
        return
    for key in given:
        if key not in FIELDS:
            add(f"there is no field {str(key)!r} here; {near_names(str(key), FIELDS)}")
            return
    producer = _producer(str(given["layer"]), consumer, known, add)
    if producer is None:
        return
    operand = str(given.get("operand", "Inputs"))
    own = range(len(layers[producer].einsum.output.axes))
    axes, whole = given.get("axes", list(own)), given.get("whole", [])
    if not _numbers(axes, none=True) or not _numbers(whole) or not set(whole) <= set(own):
        add("axes and whole are lists of axes, counted from 0")
        return
    if not isinstance(written := given.get("written", False), bool):
        add("written is true or false")
        return
    link = Link(producer, consumer, operand, tuple(axes), whole, written)
    try:
        refuse_broken("layers", known.runs, [link])
    except CosearchError as error:
        add(str(error))
        return
    if (told := _length_problem(link, layers)) is not None:
        add(told)
        return
    yield link


def _producer(name: str, consumer: int, known: _Layers, add: Callable[[str], None]) -> int | None:
    """Return the place of the layer of a name before another; None, and a note, without one."""
    places = known.places.get(name, [])
    before = [place for place in places if place < consumer]
    if len(before) == 1:
        return before[0]
    if before:
        add(f"{len(before)} layers before have the name {name!r}: which one is read?")
    elif places:
        add(f"{name!r} does not stand before this layer, and a layer reads what earlier ones write")
    else:
        add(f"no layer before has the name {name!r}{known.near(name, consumer)}")
    return None


def _length_problem(link: Link, layers: Sequence[Layer]) -> str | None:
    """Return why the two ends of a link are not one tensor: their lengths differ; or None.

    Along a sliding window what is read may be longer, by padding less than a window on both sides.
    """
    producer, consumer = layers[link.producer].einsum, layers[link.consumer].einsum
    operand = operand_of(consumer, link.operand)
    for axis, to in zip(producer.output.axes, link.axes, strict=True):
        if to is None:
            continue
        terms, bounds = operand.axes[to].terms, consumer.bounds
        inside = [c * (bounds[d] - 1) for d, c in terms if d not in consumer.output.dims]
        padding = 2 * added(inside) if len(terms) > 1 else 0
        written, read = extent(producer, axis), extent(consumer, operand.axes[to])
        if read > written + padding:
            padded = f", and padding explains {padding} of them" if padding else ""
            return f"{written} words are written along an axis of which {read} are read{padded}"
    return None


def _numbers(given: object, *, none: bool = False) -> bool:
    return isinstance(given, list) and all(
        (none and x is None) or (isinstance(x, int) and not isinstance(x, bool) and x >= 0)
        for x in given
    )
