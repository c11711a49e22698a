from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cosearch.hooks.discovery import load_registry
from cosearch_hardware.drawing import main, svg

DOCS = Path(__file__).parents[2] / "docs/hardware"
MACHINES = ("eyeriss", "gemmini", "nvdla", "simba")


def drawing_of(name: str) -> str:
    model = load_registry(third_party=False).find("hardware_models", name).make()
    return svg(model.build(model.baseline).architecture)


@pytest.mark.parametrize("name", MACHINES)
def test_the_docs_show_the_machine_as_it_is(name):
    assert (DOCS / f"{name}.svg").read_text(encoding="utf-8") == drawing_of(name)


def test_a_drawing_is_well_formed_and_names_every_level():
    root = ET.fromstring(drawing_of("eyeriss"))
    words = " ".join(element.text or "" for element in root.iter())
    for told in ("DRAM", "buffer", "scratchpads", "14 x 12", "224 Weights"):
        assert told in words


def test_one_file_a_machine(tmp_path):
    main(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} >= set(MACHINES)
