"""How arXiv 2010.02075 priced Eyeriss and what it let a search spend: not said, so chosen here.

The paper evaluates with Timeloop. What Timeloop's own descriptions of Eyeriss said at that time is
public, and agrees on what matters most: none limits the link to DRAM, so no layer waits for it.
They differ in energies: Timeloop alone has a straight line through two published points, with
Accelergy it has CACTI's and Aladdin's.
"""

from __future__ import annotations

from attrs import frozen

LARGE = "shi2020-transformer"
"""The model that the paper searches with 256 PEs; the others have 168."""


@frozen
class Setting:
    """A way to price Eyeriss, and what a search may spend of its resources.

    Attributes:
        name: as users write it.
        said: what it is, for tables.
        technology: prices energies.
        link_bits: from DRAM a core cycle; 0 is without limit.
        resources: `within` those of the chip, or `iso`: every local word is spent.
        buffers: `one` global buffer or a `mesh` of them.
    """

    name: str
    said: str
    technology: str = "accelergy-eyeriss"
    link_bits: float = 0.0
    resources: str = "within"
    buffers: str = "one"

    def hardware(self, model: str, rules: str = "open") -> str:
        """Return the machine that a model is searched on, as on the command line.

        Args:
            model: of the paper.
            rules: for loops: `open` is none.
        """
        pes = 256 if model == LARGE else 168
        return (
            f"eyeriss:pes={pes},resources={self.resources},buffers={self.buffers},"
            f"mapping={rules},dram_bits={self.link_bits:g},technology={self.technology}"
        )


CHIP_LINK = 19.2
"""Bits a core cycle: 64 bits at 60 MHz below 200 MHz (JSSC 52(1), 2017, section VI)."""

LINEAR = "eyeriss-chip"
"""Timeloop's linear energy table; the same energies as `pat`, with areas."""

SETTINGS = {
    s.name: s
    for s in (
        Setting("timeloop", "as Timeloop and Accelergy described Eyeriss in 2020"),
        Setting("linear", "Timeloop's linear energy table", LINEAR),
        Setting(
            "board",
            "linear table, the chip's link, every local word spent",
            LINEAR,
            CHIP_LINK,
            "iso",
        ),
    )
}
"""The first is the one meant when nothing is said."""

VARIANTS = (
    SETTINGS["timeloop"],
    Setting("iso", "every local word spent", resources="iso"),
    SETTINGS["linear"],
    Setting("linear-iso", "linear table, every local word spent", LINEAR, resources="iso"),
    Setting("horowitz", "energies of Horowitz", "horowitz"),
    Setting("link", "the chip's link to DRAM", link_bits=CHIP_LINK),
    SETTINGS["board"],
)
"""One thing changed at a time, then together: what the figures hang on."""
