"""The layers of a network: what they are, operand sizes, work, and how often a word is used."""

from __future__ import annotations

import math

from cosearch.cli.output import table
from cosearch.cli.session import Session
from cosearch.quantities import added, counted, digits, percent, si, whole
from cosearch.workload.drawing import chain_drawing
from cosearch.workload.einsum import Einsum
from cosearch.workload.measure import NetworkObjective
from cosearch.workload.network import Network
from cosearch.workload.source import resolve
from cosearch.workload.text import LayerFacts, LeftOut, layer_facts, left_out_by_kind


def show(session: Session, spec: str, *, json: bool) -> None:
    """Show the unique layers of a network, or one layer of it."""
    network = resolve(spec, session.registry)
    measures = [x for x in session.registry.objectives.values() if isinstance(x, NetworkObjective)]
    if json:
        known = {x.name: x.measure(network) for x in measures}
        numbers = {name: None if math.isnan(value) else value for name, value in known.items()}
        session.output.json({**_facts(network), "measures": numbers})
        return
    session.output.title(network.name, network.source)
    told = {x.name: x.told(network) for x in measures}
    lines = [f"{name}: {text}" for name, text in told.items() if text]
    session.output.show(_totals(network), *lines, "")
    columns = (
        "layer",
        "what it is",
        ">runs",
        ">weights|words",
        ">inputs|words",
        ">outputs|words",
        ">MACs|millions",
        ">share|%",
        ">intensity|MACs/word",
    )
    session.output.show(table(columns, map(_row, layer_facts(network))))
    _show_chains(session, network)
    if network.unmodelled:
        _show_unmodelled(session, network)


def _totals(network: Network) -> str:
    runs = added(layer.count for layer in network.products)
    unique = sum(layer.einsum.operation is None for layer in network.unique)
    several = f"{counted(unique, 'different layer')}, {counted(runs, 'run')}"
    layers = several if runs > 1 else "one layer"
    parameters = [] if network.parameters is None else [f"{si(network.parameters)} parameters"]
    others = added(layer.count for layer in network.layers) - runs
    elementwise = [f"{len(network.unique) - unique} of element-wise work, {counted(others, 'run')}"]
    totals = [layers, si(network.macs, "MACs"), *parameters]
    return ", ".join(totals + (elementwise if others else []))


def _row(layer: LayerFacts) -> tuple[str, ...]:
    return (
        layer.name,
        layer.words,
        str(layer.count),
        whole(layer.weights),
        whole(layer.inputs),
        whole(layer.outputs),
        f"{layer.macs / 1e6:,.2f}",
        f"{100 * layer.share:.1f}",
        digits(layer.intensity),
    )


def _show_chains(session: Session, network: Network) -> None:
    """Draw which layers hand a tensor on, equal runs of them once."""
    graph = chain_drawing(network)
    if graph:
        session.output.show("")
        session.output.title("handed on", "what may stay on chip between layers")
        session.output.show(*(f"  {line}" for line in graph))


def _show_unmodelled(session: Session, network: Network) -> None:
    share = percent(network.unmodelled_share)
    least = "" if network.unmodelled_known else "at least "
    session.output.show("")
    session.output.title("left out of the cost", f"{least}{share} of all operations")
    rows = [_left_out_row(item) for item in left_out_by_kind(network)]
    session.output.show(table(("operator", ">count", ">operations", ">share", "~reason"), rows))


def _left_out_row(item: LeftOut) -> tuple[str, ...]:
    if item.known:
        return item.kind, str(item.count), si(item.operations), percent(item.share), item.reason
    operations = f"over {si(item.operations)}" if item.operations else "unknown"
    return item.kind, str(item.count), operations, "unknown", item.reason


def _facts(network: Network) -> dict[str, object]:
    """Return a network for JSON."""
    return {
        "name": network.name,
        "source": network.source,
        "macs": network.macs,
        "parameters": network.parameters,
        "parts": [
            {"name": x.name, "weight": x.weight, "macs": x.network.macs} for x in network.parts
        ],
        "layers": [
            {
                "name": facts.name,
                "description": facts.words,
                "count": facts.count,
                "dims": layer.einsum.bounds,
                "macs": facts.macs,
                "operation": layer.einsum.operation,
                "operations": facts.operations,
                "macs_per_word": facts.intensity,
                "tensors": _tensors(layer.einsum),
            }
            for layer, facts in zip(network.unique, layer_facts(network), strict=True)
        ],
        "links": [
            {
                "producer": network.layers[link.producer].name,
                "consumer": network.layers[link.consumer].name,
                "operand": link.operand,
                "axes": list(link.axes),
                "whole": sorted(link.whole),
            }
            for link in network.links
        ],
        "unmodelled": network.unmodelled,
        "unmodelled_share": network.unmodelled_share,
        "unmodelled_known": network.unmodelled_known,
    }


def _tensors(einsum: Einsum) -> list[dict[str, object]]:
    return [
        {
            "name": tensor.name,
            "role": tensor.role,
            "words": einsum.words(tensor),
            "axes": [dict(axis.terms) for axis in tensor.axes],
        }
        for tensor in einsum.tensors
    ]
