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

from cosearch.errors import CosearchError, near_names
from cosearch.workload.link import Link, refuse_broken
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
    for i, item in enumerate(items):
        given = item.get("reads", [])
        several = given if isinstance(given, list) else [given]
        for one in several:
            links += _link(one, i, layers, partial(_add_at, add, i))
    seen = [(link.producer, link.consumer) for link in links]
    for link in links:
        readers = [end for end in seen if end[0] == link.producer]
        if len(readers) > 1 and readers[-1] == (link.producer, link.consumer):
            name = layers[link.producer].name
            told = f"{name!r} is read twice: one of its readers is linked, with 'written: true'"
            add(told, "layers", link.consumer, "reads")
    return links


def _add_at(add: Add, layer: int, text: str) -> None:
    add(text, "layers", layer, "reads")


def _link(
    given: object, consumer: int, layers: Sequence[Layer], add: Callable[[str], None]
) -> Iterator[Link]:
    if not isinstance(given, dict) or "layer" not in given:
        add("needs the field 'layer': whose output is read, such as {layer: conv1}")
        return
    for key in given:
        if key not in FIELDS:
            add(f"there is no field {str(key)!r} here; {near_names(str(key), FIELDS)}")
            return
    names = [layer.name for layer in layers[:consumer]]
    if given["layer"] not in names:
        near = near_names(str(given["layer"]), names)
        add(f"no layer before has the name {given['layer']!r}; {near}")
        return
    producer = names.index(given["layer"])
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
        pairs = [(layer.einsum, layer.count) for layer in layers]
        refuse_broken("layers", pairs, [link])
    except CosearchError as error:
        add(str(error))
        return
    yield link


def _numbers(given: object, *, none: bool = False) -> bool:
    return isinstance(given, list) and all(
        (none and x is None) or (isinstance(x, int) and not isinstance(x, bool) and x >= 0)
        for x in given
    )
