"""A first co-design: search a machine for a network, and look at what was found."""

import tempfile
from pathlib import Path

import cosearch

OUT = Path(tempfile.mkdtemp())

# a machine and the mappings of each layer together; the store makes the search resumable
study = cosearch.run(
    "shi2020-dqn", "eyeriss", strategy="evolutionary", trials=8, seed=0, store=OUT / "cosearch.db"
)
print(study)
print(study.best.configuration)
print({name: f"{ratio:.2f}x" for name, ratio in study.improvement.items()})

# every trial as plain data; study.to_frame() makes a DataFrame where pandas is installed
for record in study.records()[:3]:
    print(record["number"], record["state"], record.get("edp"))

# the same study from the file, and one machine by itself
again = cosearch.load(study.name, store=OUT / "cosearch.db")
assert again.records() == study.records()
machine = cosearch.hardware("eyeriss").build(study.best.configuration)
found = cosearch.map("shi2020-dqn", machine)
print(found)
print(found.layers[0].loops)
assert found.edp == study.best.metrics["edp"]

# one parameter at a time, each point with its best mappings
print(cosearch.sweep("shi2020-dqn", "eyeriss", {"buffer_kb": [56, 108]}).records())
