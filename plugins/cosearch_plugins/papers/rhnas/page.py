"""The page that `cosearch reproduce rhnas` writes, for a reader who has the abstract in hand."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cosearch.workload.network import PREDICTED
from cosearch_plugins.papers.rhnas.imagenet import ImageOptimum
from cosearch_plugins.papers.rhnas.readings import PUBLISHED
from cosearch_plugins.papers.rhnas.reproduce import (
    Claimed,
    ImageClaimed,
    Raced,
    Reproduction,
    ratios_of,
)

CIFAR, IMAGENET = "CIFAR-10", "ImageNet"


def page_of(found: Reproduction) -> str:
    """Return the page as Markdown."""
    parts = (_head, _claims, _image_claims, _races, _reading)
    return "\n".join([*(line for part in parts for line in part(found)), ""])


def _head(found: Reproduction) -> Iterator[str]:
    yield "# RHNAS (arXiv 2106.09180): the shape of its claim"
    yield ""
    yield (
        "The abstract says: reinforcement learning finds the hardware, because many configurations "
        "of an accelerator cannot be synthesised and break a fully differentiable co-design; "
        "differentiable architecture search finds the network. Against the *default* accelerator "
        f"the pairs found have {PUBLISHED[CIFAR, 'latency']}x lower latency and "
        f"{PUBLISHED[CIFAR, 'edp']}x lower EDP on CIFAR-10, "
        f"{PUBLISHED['ImageNet', 'latency']}x and {PUBLISHED['ImageNet', 'edp']}x on ImageNet."
    )
    yield ""
    yield (
        "Only the abstract is known here. Not known: the algorithm of either search, the reward, "
        "what is done with designs that cannot be built, the ranges of parameters, limits on area, "
        "the batch, the network spaces, the accuracy asked for, and whether the ratios are at "
        "equal accuracy. That the accelerator is VTA is a reading (its authors' own stack). So "
        "this page checks the *shape* of the claim - four ratios of default to found - under "
        "readings that it states, and never the paper's own figures. A reading that meets a "
        "printed number was not chosen for that, and proves nothing."
    )
    yield ""
    yield (
        "For CIFAR-10 the networks are the 15,625 of NAS-Bench-201, the machines those of "
        "`vta:stack=apache` with a pipelined core; pooling and additions are priced on its ALU. "
        f"Accuracies are {found.accuracies}. The default network is the benchmark's most accurate "
        f"one ({found.default:.2f} %). Every cost below is exact: every network on every machine, "
        "each layer at its own best mapping."
    )
    yield ""
    if found.accuracies.startswith(PREDICTED):
        yield (
            "**Which networks are above a floor is therefore a prediction**: floors close to the "
            "best accuracy are missed or met by its error. The benchmark's own accuracies are read "
            "with `--table FILE` (a file with columns `index` and `acc_c10`)."
        )
        yield ""
    if found.quick:
        yield (
            "This is the quick run: one board, fewer searches, and the board that the loop's "
            "settings were chosen on. Without `--quick` it is raced on other machines too."
        )
        yield ""


def _claims(found: Reproduction) -> Iterator[str]:
    for objective in dict.fromkeys(claim.objective for claim in found.claimed):
        name = "latency" if objective == "latency" else "EDP"
        printed = PUBLISHED[CIFAR, objective]
        yield f"## CIFAR-10, {name}: default over found (printed in the abstract: {printed}x)"
        yield ""
        yield (
            "| reading | floor, % | machines | networks (classes) | hardware only | network only | "
            "one after the other | both | area | accuracy, % |"
        )
        yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        for claim in found.claimed:
            if claim.objective == objective:
                yield from _rows(claim)
        yield ""
    yield "What each reading allows:"
    yield ""
    for reading in dict.fromkeys(claim.reading for claim in found.claimed):
        yield f"- **{reading.name}**: {reading.about}."
    yield ""
    yield (
        "*Hardware only* is the best machine for the default network, *network only* the best "
        "network above the floor on the default machine, *one after the other* that network with "
        "the best machine for it, *both* the exact joint optimum; *area* is its area over the "
        "default's. Hardware alone is at equal accuracy; the rest of a ratio is bought with the "
        f"accuracy between {found.default:.2f} % and the floor."
    )
    yield ""


def _image_claims(found: Reproduction) -> Iterator[str]:
    for objective in dict.fromkeys(claim.objective for claim in found.images):
        name = "latency" if objective == "latency" else "EDP"
        printed = PUBLISHED[IMAGENET, objective]
        yield f"## ImageNet, {name}: default over found (printed in the abstract: {printed}x)"
        yield ""
        yield (
            "| reading | floor, % | machines | hardware only | network only | one after the other "
            "| both | gap, % | area | accuracy, % |"
        )
        yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        for claim in found.images:
            if claim.objective == objective:
                yield from (_image_row(claim, best) for best in claim.floors)
        yield ""
    if not found.images:
        return
    yield (
        "Networks are the 2.2e19 subnetworks of `ofa-mobilenetv3`; the default is the middle of "
        f"the space ({found.images[0].floors[0].floor:.2f} %). Accuracies are "
        f"{found.image_accuracies}. Machines are those of `vta:stack=intel`, where depthwise "
        "convolutions run on the ALU, with rules as hidden as above and memories as in its "
        "authors' design-space script. Every layer of the space is mapped on every machine; the "
        "best network of a machine is a knapsack, and *gap* is how far below the pair that is "
        "shown another can be. The first floor is the default's own accuracy, so nothing is "
        "bought with accuracy in its row. What each reading allows:"
    )
    yield ""
    for reading in dict.fromkeys(claim.reading for claim in found.images):
        yield f"- **{reading.name}**: {reading.about}."
    yield ""


def _image_row(claim: ImageClaimed, best: ImageOptimum) -> str:
    others = (best.hardware, best.network, best.one_after_other, best.both)
    ratios = " | ".join(f"{best.default / loss:.2f}x" for loss in others)
    return (
        f"| {claim.reading.name} | {best.floor:.2f} | {claim.machines:,} | {ratios} | "
        f"{100 * best.gap:.2f} | {best.area_ratio:.2f} | {best.accuracy:.2f} |"
    )


def _rows(claim: Claimed) -> Iterator[str]:
    for summary in claim.floors:
        ratios = [_times(value) for value in ratios_of(summary).values()]
        yield (
            f"| {claim.reading.name} | {summary.floor:g} | {claim.machines:,} | "
            f"{summary.networks:,} ({summary.classes}) | {' | '.join(ratios)} | "
            f"{summary.area_ratio:.2f} | {summary.accuracy:.2f} |"
        )


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}x"


def _races(found: Reproduction) -> Iterator[str]:
    for race in found.raced:
        yield f"## What searches reach: {race.problem}"
        yield ""
        yield (
            f"{found.trials:,} designs, {found.seeds} seeds; every rule of what can be built is "
            f"hidden ({100 * race.realizable:.1f} % of the machines can be). Regret is the "
            "distance to the exact optimum: of the machine for the default network, or of both."
        )
        yield ""
        yield "| search | of | buildable | regret, %: median [least, greatest] |"
        yield "| --- | --- | --- | --- |"
        for score in race.scores:
            median, least, most = (_percent(value) for value in score.regrets)
            what = "the machine" if score.what == "machine" else "both"
            yield f"| {score.name} | {what} | {score.built:.2f} | {median} [{least}, {most}] |"
        yield ""
        if race.rounded:
            yield from _relaxed(race)


def _relaxed(race: Raced) -> Iterator[str]:
    yield "### Why not differentiate the hardware too"
    yield ""
    yield (
        "The machine for the default network by Gumbel-softmax over a perceptron fitted to 2,000 "
        f"machines that can be built (mean error {100 * race.estimator_error:.1f} %), 20 searches "
        "a row, rounded at the end; with a classifier of what can be built, fitted to 4,000 free "
        "attempts, as a penalty; and rounded to the nearest machine that can be built."
    )
    yield ""
    yield "| weight of the penalty | buildable | median regret of these, % | rounded to what can be built: median, worst, % |"  # noqa: E501
    yield "| --- | --- | --- | --- |"
    for row in race.rounded:
        yield (
            f"| {row.weight:g} | {row.built} of {row.searches} | {_percent(row.regret)} | "
            f"{_percent(row.repaired)}, {_percent(row.worst)} |"
        )
    yield ""


def _percent(value: float) -> str:
    if value != value:
        return "-"
    return "none found" if value == float("inf") else f"{100 * value:.1f}"


def _reading(found: Reproduction) -> Iterator[str]:
    yield "## What this says"
    yield ""
    gains = [
        summary.one_after_other / summary.both - 1.0
        for claim in found.claimed
        for summary in claim.floors
        if summary.both and summary.one_after_other
    ]
    if gains:
        yield (
            f"- Network first, then hardware, is within {100 * max(gains):.1f} % of the joint "
            "optimum in every reading above: searching both at once has that much to gain here, "
            "the rest is the cost of the search."
        )
    apart = [
        best.one_after_other / best.both - 1.0 for claim in found.images for best in claim.floors
    ]
    if apart:
        yield f"- On ImageNet one after the other is within {100 * max(apart):.1f} % of the best."
    for race in found.raced:
        both = [s for s in race.scores if s.what == "both"]
        mine = next(s for s in both if s.name == "rhnas")
        better = [s.name for s in both if s.regrets[0] < mine.regrets[0] - 1e-9]
        ahead = ", ".join(better) or "none"
        median = mine.regrets[0]
        end = f"ends {_percent(median)} % above the optimum"
        if not math.isfinite(median):
            end = "finds no pair above the floor"
        yield (
            f"- {race.problem}: the loop `rhnas` proposes {100 * mine.built:.0f} % buildable "
            f"machines and {end} in the median (ahead of it: {ahead})."
            f"{_naive(race)}"
        )


def _naive(race: Raced) -> str:
    if not race.rounded:
        return ""
    naive = race.rounded[0]
    return (
        f" {naive.searches - naive.built} of {naive.searches} naively "
        f"relaxed machines cannot be built, and rounding to the nearest that can be leaves "
        f"{_percent(naive.repaired)} %: the abstract's argument holds against the naive rival, "
        "and not against that repair."
    )
