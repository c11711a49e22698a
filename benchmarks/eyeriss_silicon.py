"""Eyeriss' measured chip beside the row-stationary model: AlexNet's convolutions, batch of 4.

    python benchmarks/eyeriss_silicon.py

Published: Y.-H. Chen et al., JSSC 52(1), 2017, 65 nm, 1 V, 200 MHz.
"""

from __future__ import annotations

from attrs import frozen

from cosearch.workload.einsum import conv
from cosearch_hardware.eyeriss.model import CLOCK_MHZ
from cosearch_hardware.eyeriss.rows import Convolution, Mappings, best, costs


@frozen
class Measured:
    """A row of the paper's table of AlexNet: milliseconds, PEs, megabytes."""

    processing_ms: float
    active_pes: int
    buffer_mb: float


PUBLISHED = {
    "CONV1": Measured(16.5, 154, 18.5),
    "CONV2": Measured(39.2, 135, 77.6),
    "CONV3": Measured(21.8, 156, 50.2),
    "CONV4": Measured(16.0, 156, 37.4),
    "CONV5": Measured(10.0, 156, 24.9),
}

LAYERS = {
    "CONV1": conv("CONV1", N=4, K=96, C=3, P=55, Q=55, R=11, S=11, stride=(4, 4)),
    "CONV2": conv("CONV2", N=4, G=2, K=128, C=48, P=27, Q=27, R=5, S=5),
    "CONV3": conv("CONV3", N=4, K=384, C=256, P=13, Q=13, R=3, S=3),
    "CONV4": conv("CONV4", N=4, G=2, K=192, C=192, P=13, Q=13, R=3, S=3),
    "CONV5": conv("CONV5", N=4, G=2, K=128, C=192, P=13, Q=13, R=3, S=3),
}

WORD_MB = 2e-6


def modelled(name: str, channels_in_pe: int | None = None) -> tuple[Measured, str]:
    """Return the model's figures of a layer, and the mapping that it chose."""
    layer = Convolution.of(LAYERS[name])
    mapping = best(layer, channels_in_pe=channels_in_pe)
    cost = costs(layer, mapping)
    figures = Measured(
        float(cost.cycles[0]) / CLOCK_MHZ / 1e3,
        int(cost.active_pes[0]),
        float(cost.buffer_words[0]) * WORD_MB,
    )
    return figures, letters(mapping)


def letters(mapping: Mappings) -> str:
    """Return the mapping in the paper's letters."""
    return " ".join(f"{name}={int(getattr(mapping, name)[0])}" for name in "mnepqrt")


def table(channels_in_pe: dict[str, int]) -> list[str]:
    """Return lines of Markdown: published, modelled and their ratio."""
    lines = [
        (
            "| layer | mapping | processing, ms: published | modelled | ratio | active PEs: "
            "published | modelled | buffer, MB: published | modelled | ratio |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    sums = [0.0] * 4
    for name, chip in PUBLISHED.items():
        model, mapping = modelled(name, channels_in_pe.get(name))
        pairs = (chip.processing_ms, model.processing_ms, chip.buffer_mb, model.buffer_mb)
        sums = [total + value for total, value in zip(sums, pairs, strict=True)]
        lines.append(
            f"| {name} | {mapping} | {chip.processing_ms:.1f} | {model.processing_ms:.1f} | "
            f"{model.processing_ms / chip.processing_ms:.2f} | {chip.active_pes} | "
            f"{model.active_pes} | {chip.buffer_mb:.1f} | {model.buffer_mb:.1f} | "
            f"{model.buffer_mb / chip.buffer_mb:.2f} |"
        )
    lines.append(
        f"| total | | {sums[0]:.1f} | {sums[1]:.1f} | {sums[1] / sums[0]:.2f} | | | "
        f"{sums[2]:.1f} | {sums[3]:.1f} | {sums[3] / sums[2]:.2f} |"
    )
    return lines


def main() -> None:
    """Print both tables."""
    print("Mappings of least energy-delay product:\n")
    print("\n".join(table({})))
    print("\nThe same with three channels in a PE in CONV3 to CONV5:\n")
    print("\n".join(table({"CONV3": 3, "CONV4": 3, "CONV5": 3})))


if __name__ == "__main__":
    main()
