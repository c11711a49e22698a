import importlib
import sys

import pytest

from cosearch.mapping.strategy_mapper import StrategyMapper
from cosearch.origin import _digest, made_by, origin

SOURCE = "class Machine:\n    pass\n"


@pytest.fixture
def plugin(distribution):
    def load(source, name="made-up", version="1.0", module="plugin_of_a_test"):
        distribution(name, source, version=version, module=module)
        importlib.invalidate_caches()
        sys.modules.pop(module, None)
        made_by.cache_clear()
        _digest.cache_clear()
        found = importlib.import_module(module).Machine
        sys.modules.pop(module)
        sys.modules[module] = sys.modules.get(module) or importlib.import_module(module)
        return found

    yield load
    sys.modules.pop("plugin_of_a_test", None)


def test_a_class_is_named_by_its_distribution(plugin):
    kind = plugin(SOURCE)
    assert origin(kind) == "of made-up 1.0"
    assert origin(kind()) == "of made-up 1.0"
    assert origin(StrategyMapper).startswith("of cosearch ")


def test_a_class_of_no_distribution_is_named_by_its_file():
    class Own:
        pass

    assert origin(Own) == f"of {__file__}"


def test_what_an_answer_rests_on_changes_with_sources_and_version(plugin, tmp_path):
    first = made_by(plugin(SOURCE))
    assert first.startswith("made-up 1.0 ")
    file = tmp_path / "site-plugin_of_a_test" / "plugin_of_a_test.py"
    file.write_text(SOURCE + "# edited\n")
    made_by.cache_clear()
    _digest.cache_clear()
    edited = made_by(sys.modules["plugin_of_a_test"].Machine)
    assert edited.startswith("made-up 1.0 ")
    assert edited != first


def test_an_installed_distribution_is_known_by_its_version(plugin, tmp_path, monkeypatch):
    kind = plugin(SOURCE)
    installed = tmp_path / "site-packages" / "plugin_of_a_test.py"
    monkeypatch.setattr(sys.modules["plugin_of_a_test"], "__file__", str(installed))
    made_by.cache_clear()
    assert made_by(kind) == "made-up 1.0"
