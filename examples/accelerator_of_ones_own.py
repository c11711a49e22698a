"""An accelerator of one's own, as in a notebook cell: a model, a network, a search, a report."""

import tempfile
from pathlib import Path

import numpy as np

import cosearch


class TwoLevels(cosearch.HardwareModel):
    """Multipliers in a row under one buffer; energies are round numbers, no chip's."""

    name = "two-levels"
    space = cosearch.ParameterSpace(
        (
            cosearch.Parameter("macs", (4, 8, 16), 8, doc="in the row"),
            cosearch.Parameter("buffer_words", (256, 1024, 4096), 1024, "words"),
        )
    )

    def build(self, configuration):
        chosen = self.check(configuration)
        words, row = chosen["buffer_words"], chosen["macs"]
        if row * 64 > words:
            raise cosearch.Infeasible(f"{row} multipliers starve on {words} words")
        near = cosearch.AccessEnergy.uniform(1.0 + words / 1024)  # pJ a word, assumed
        far = cosearch.AccessEnergy.uniform(200.0)
        machine = cosearch.Architecture(
            "two-levels",
            (
                cosearch.Memory("buffer", words, near, 16),
                cosearch.Memory("DRAM", None, far, 16, shared_bandwidth=4.0, is_dram=True),
            ),
            cosearch.Compute(1.0, mesh_x=row, word_bits=16),
            sources={"energies": "assumed, for an example"},
        )
        return cosearch.SpatialAccelerator(machine)


class EveryOther(cosearch.Strategy):
    """Designs at even places of the space first, then the others."""

    def __init__(self, space, rng):
        super().__init__(space, rng)
        sizes = space.cardinalities
        rows = [(i, j) for i in range(sizes[0]) for j in range(sizes[1])]
        self._left = rows[::2] + rows[1::2]

    def ask(self, n):
        asked, self._left = self._left[:n], self._left[n:]
        return np.array(asked, dtype=np.int64).reshape(len(asked), 2)

    def tell(self, rows, losses, feasible, violations=None):
        """What comes next does not depend on what was found."""


network = cosearch.Network(
    "mine",
    (
        cosearch.Layer(cosearch.conv("conv", K=8, C=4, P=8, Q=8, R=3, S=3), count=2),
        cosearch.Layer(cosearch.gemm("head", M=1, N=10, K=512)),
    ),
)

study = cosearch.run(network, TwoLevels(), strategy=EveryOther, trials=9, objective="edp")
print(study)
print(study.note)
for record in study.records():
    print(record["macs"], record["buffer_words"], record["state"], record["reason"])

found = cosearch.map(network, TwoLevels().build({"macs": 16}))
print(found.loops)
priced = cosearch.evaluate(network.layers[0], found.machine, found.layers[0].mapping)
assert priced.energy_pj == found.layers[0].energy_pj

versus = cosearch.compare(
    network, TwoLevels(), strategies=[EveryOther, "random"], seeds=2, trials=4
)
print(versus)

try:
    page = study.report(Path(tempfile.mkdtemp()) / "study.html")
except cosearch.CosearchError as error:  # plotly is an optional package
    print(error)
else:
    print("wrote", page.name)
