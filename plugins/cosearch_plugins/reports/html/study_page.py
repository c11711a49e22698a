"""The page of one study: how it converged, what it found, where energy and time go, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cosearch.errors import CosearchError
from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.machine.building import build
from cosearch.quantities import counted, energy, loss, metric, percent, ratio, si, whole
from cosearch.study.headline import headline
from cosearch.study.report import DesignReport, StudyReport, report_of
from cosearch.study.study import Study
from cosearch.study.traffic import traffic_of_trial
from cosearch.trials.trial import Trial
from cosearch.workload.text import left_out_in_short
from cosearch_plugins.reports.html import charts
from cosearch_plugins.reports.html.nest_svg import nest_svg
from cosearch_plugins.reports.html.page import Section, chart, folded, grid, page, table, text
from cosearch_plugins.reports.html.schedule_svg import schedule_svg
from cosearch_plugins.reports.roof import roof_of

HIDDEN = ("mapping_gap", "clock_mhz")
"""Metrics that are no cost; the layers' table says what is proven."""


def study_page(study: Study, commands: Sequence[str]) -> str:
    """Return the page of a study.

    Args:
        study: with at least one feasible trial.
        commands: that reproduce it.

    Raises:
        CosearchError: nothing feasible was found.
        MissingExtraError: plotly is not installed.
    """
    report = report_of(study)
    if study.best is None or report.best is None:
        raise CosearchError(f"the study {study.name!r} has no best design: {report.obstacle}")
    spec = study.problem.spec
    sections = [
        Section("Best design", "beside the baseline, parameter by parameter",
                _designs(study, report, report.best)),
        Section("Convergence", "every trial and the best so far", _convergence(study)),
        *_front(study, report),
        Section("Energy, cycles and area", "every feasible trial", _trade_offs(study)),
        Section("Design space", "parameters of every feasible trial", _parameters(study)),
        Section("Layers", "one run of each, on the best design",
                _layers(report.best) + _left_out(study)),
        Section("Where the energy goes", "of a run of the whole network, and of each layer",
                _energy(report.best, report.baseline)),
        Section("Roofline", "layers on the best design; the roof is its multipliers and DRAM",
                _roofline(study, study.best)),
        *_groups(study, report.best),
        Section("Mappings", "the loop nest of each layer", _mappings(report.best)),
        Section("Sources", "where the numbers come from",
                text(f"{part}: {said}" for part, said in report.best.sources.items())),
        Section("Reproduce", "the same settings give the same numbers",
                text([*commands, "", *_facts(report)])),
    ]  # fmt: skip
    told = headline(report)
    about = f"{told}; " if told else ""
    about += f"{spec.strategy} for {spec.workload} on {spec.hardware}, seed {spec.seed}"
    return page(study.name, about, sections)


def _designs(study: Study, report: StudyReport, best: DesignReport) -> str:
    base = report.baseline
    rows = [
        (name, str(value), str(base.configuration.get(name, "")) if base else "", "")
        for name, value in best.configuration.items()
    ]
    for objective in study.problem.objectives:
        name = objective.name
        there = loss(base.losses[name], objective.unit) if base and name in base.losses else ""
        gain = ratio(report.improvement[name]) if name in report.improvement else ""
        rows.append((name, loss(best.losses[name], objective.unit), there, gain))
    for name, value in best.metrics.items():
        if name in HIDDEN:
            continue
        there = metric(name, base.metrics[name]) if base and name in base.metrics else ""
        gain = ratio(report.improvement[name]) if name in report.improvement else ""
        rows.append((name, metric(name, value), there, gain))
    return table(("", "best", "baseline", "baseline / best"), rows)


def _convergence(study: Study) -> str:
    charted = []
    for i, objective in enumerate(study.problem.objectives):
        found = [t.outcome.losses[i] if t.ok else np.inf for t in study.in_order]
        losses = np.array(found)
        best = np.minimum.accumulate(losses)
        shown = np.where(np.isfinite(best), best, np.nan)
        scale, unit = charts.in_joules(objective.unit)
        shown, losses = shown * scale, losses * scale
        figure = charts.curves(
            objective.name, {"best so far": (shown, shown, shown)}, "trial", unit
        )
        at = np.flatnonzero(np.isfinite(losses))
        figure.add_scatter(x=at + 1, y=losses[at], mode="markers", name="trial",
                           marker={"size": 5, "color": charts.colour(6)})  # fmt: skip
        charted.append(chart(figure, f"convergence{i}"))
    return grid(charted)


def _front(study: Study, report: StudyReport) -> Iterator[Section]:
    if report.hypervolume is None:
        return
    objectives = study.problem.objectives
    rows = (
        (str(point.number), *(loss(point.losses[o.name], o.unit) for o in objectives),
         ", ".join(f"{name}={value}" for name, value in point.configuration.items()))
        for point in report.front
    )  # fmt: skip
    corner = ", ".join(f"{o.name} {loss(report.reference[o.name], o.unit)}" for o in objectives)
    yield Section(
        "Pareto front",
        f"designs that no other beats in every objective; they dominate "
        f"{percent(report.hypervolume)} of the box between zero and {corner}",
        table(("trial", *(o.name for o in objectives), "design"), rows, ["design"]),
    )


def _trade_offs(study: Study) -> str:
    trials = study.feasible
    notes = [f"trial {trial.number}" for trial in trials]

    def metric(name: str) -> np.ndarray:
        return np.array([trial.outcome.metrics.get(name, np.nan) for trial in trials])

    pairs = [("cycles", "energy_pj"), ("area_mm2", "energy_pj"), ("area_mm2", "cycles")]
    drawn = []
    for x, y in pairs:
        xs, ys = metric(x), metric(y)
        known = np.isfinite(xs) & np.isfinite(ys)
        if known.any():
            kept = [note for note, k in zip(notes, known, strict=True) if k]
            (across, x_title), (up, y_title) = charts.axis_of(x), charts.axis_of(y)
            series = {"trials": (xs[known] * across, ys[known] * up, kept)}
            title = f"{y_title.partition(',')[0]} against {x_title.partition(',')[0]}"
            figure = charts.scatter(title, series, x_title, y_title, front=True)
            drawn.append(chart(figure, f"tradeoff-{x}-{y}"))
    return grid(drawn)


def _parameters(study: Study) -> str:
    trials = study.feasible
    losses = np.array([trial.merit for trial in trials])
    names = [p.name for p in study.problem.hardware.space.parameters if len(p.choices) > 1]
    columns = {n: [t.configuration[n] for t in trials] for n in names}
    moving = {n: values for n, values in columns.items() if len(set(values)) > 1}
    if not moving:
        return text(["every feasible trial has the same parameters"])
    parts = [chart(charts.parallel("designs", moving, losses), "parallel", wide=True)]
    aims = study.problem.objectives
    scale, unit = charts.in_joules(aims[0].unit) if len(aims) == 1 else (1.0, "")
    title = f"{aims[0].name}, {unit}" if unit else "loss"
    small: list[str] = []
    for name, values in moving.items():
        figure = charts.by_choice(name, values, losses * scale, title)
        small.append(chart(figure, f"parameter-{len(small)}"))
    return parts[0] + grid(small)


def _layers(best: DesignReport) -> str:
    columns = ("layer", "what", "runs", "energy", "latency", "multipliers in use", "bound by",
               "optimal")  # fmt: skip
    return table(columns, (
        (x.name, x.about, str(x.count), energy(x.energy_pj), si(x.cycles, "cycles"),
         percent(x.utilization), x.bound_by, _proof(x.proven, x.gap))
        for x in best.layers
    ), ["what", "bound by", "optimal"])  # fmt: skip


def _left_out(study: Study) -> str:
    lines = left_out_in_short(study.problem.network)
    return text(lines) if lines else ""


def _proof(proven: bool, gap: float | None) -> str:
    if proven:
        return "proven"
    return "not proven" if gap is None else f"within {percent(gap)}"


def _energy(best: DesignReport, baseline: DesignReport | None) -> str:
    designs = {"best": best, "baseline": baseline}
    parts = dict.fromkeys([*best.energy_by_part, *(baseline.energy_by_part if baseline else ())])
    whole_network = {
        part: {
            name: design.energy_by_part.get(part, 0.0) * 1e-6
            for name, design in designs.items()
            if design
        }
        for part in parts
    }
    by_layer = {
        part: {x.name: x.energy_by_part.get(part, 0.0) * 1e-6 for x in best.layers}
        for part in parts
    }
    return grid((
        chart(charts.stacked("network", whole_network, "uJ"), "energy-network"),
        chart(charts.stacked("one run of each layer", by_layer, "uJ"), "energy-layers"),
    ))  # fmt: skip


def _roofline(study: Study, best: Trial) -> str:
    roof = roof_of(study, best)
    if roof is None:
        return text(["this machine's model counts no DRAM words"])
    series = {"layers": (roof.intensity, roof.speed, roof.names)}
    figure = charts.roofline("layers", series, roof.multipliers, roof.words_per_cycle)
    return chart(figure, "roofline") + text(_words(study, best))


def _words(study: Study, best: Trial) -> Iterator[str]:
    """Yield how few words any mappings pass, where that is proven."""
    traffic = traffic_of_trial(study.problem, best)
    if traffic is not None:
        yield str(traffic)


def _groups(study: Study, best: DesignReport) -> Iterator[Section]:
    """Yield how layers run together, where they may."""
    trial = study.best
    if trial is None or not best.groups:
        return
    machine = build(study.problem.hardware, trial.configuration)
    if not isinstance(machine, SpatialAccelerator):
        return
    network = study.problem.network_of(trial.complete)
    drawn = [
        folded(
            f"{' -> '.join(found.layers)}, {counted(found.count, 'run')}",
            schedule_svg(machine.architecture, found.group(network), found.layers),
        )
        for found in trial.outcome.groups
        if len(found.layers) > 1
    ]
    nests = [folded(f"{' -> '.join(x.layers)}: loops", nest_svg(x.loops)) for x in best.groups]
    about = "what is live in the memory they share while each of them runs"
    yield Section("Layers that run together", about, "".join(drawn + nests))


def _mappings(best: DesignReport) -> str:
    return "".join(
        folded(f"{layer.name}: {layer.about}", nest_svg(layer.loops)) for layer in best.layers
    )


def _facts(report: StudyReport) -> Iterator[str]:
    for facts in (report.settings, report.facts, report.budget):
        yield from (f"{name}: {value}" for name, value in facts.items() if value not in (None, {}))
    yield f"trials: {report.trials}, infeasible: {report.infeasible}, failed: {report.failed}"
    yield f"mappings priced: {whole(report.evaluations)}"
    if report.agreement is not None:
        yield str(report.agreement)
