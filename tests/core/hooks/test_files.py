import pytest

from cosearch.errors import InputError, PluginError
from cosearch.hooks.discovery import load_registry
from cosearch.hooks.files import plugin_files

MINE = """
from cosearch.registry.registration import Registration, hookimpl
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Layer, Network, Workload
from sibling import SIZE


class Mine(Workload):
    def network(self):
        return Network("mine", (Layer(gemm(M=SIZE, N=SIZE, K=SIZE)),))


@hookimpl
def cosearch_workloads():
    return [Registration("my-net", Mine, "a network of a file")]
"""


MISSPELLED = """
from cosearch.registry.registration import hookimpl


@hookimpl
def cosearch_workload():
    return []
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    other = tmp_path / "beside"
    other.mkdir()
    (tmp_path / "sibling.py").write_text("SIZE = 8\n")
    (tmp_path / "_private.py").write_text("raise RuntimeError\n")
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    return tmp_path


def test_a_file_is_a_plugin_and_may_have_siblings(folder):
    registry = load_registry([folder / "mine.py"], third_party=False)
    assert registry.find("workloads", "my-net").make().network().macs == 512
    (digest,) = [d for name, d in registry.plugins if name == "mine"]
    assert digest.startswith("mine.py ")
    assert registry.files == (str(folder / "mine.py"),)
    (folder / "mine.py").write_text(MINE + "\n")
    again = load_registry([folder / "mine.py"], third_party=False)
    assert digest not in [d for _, d in again.plugins]


def test_a_folder_and_the_environment(folder, monkeypatch):
    assert [f.path.name for f in plugin_files([folder])] == ["mine.py", "sibling.py"]
    monkeypatch.setenv("COSEARCH_PLUGINS", f"{folder}")
    assert "my-net" in load_registry(third_party=True).entries["workloads"]
    assert "my-net" not in load_registry(third_party=False).entries["workloads"]


def test_a_file_that_is_not_there(folder):
    for path in (folder / "mien.py", folder / "beside"):
        with pytest.raises(InputError, match=path.name):
            load_registry([path], third_party=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nraise ValueError('oh')\n", r"broken\.py:2: ValueError: oh"),
        ("x = 1\ny = (\n", r"broken\.py:2: SyntaxError"),
        (MINE.replace("def cosearch_workloads()", "def cosearch_workloads(register)"), "register"),
        (
            MISSPELLED,
            r"broken\.py: .*hook 'cosearch_workload'",
        ),
        (MINE.replace('"my-net"', '"My Net"').replace("from sibling import SIZE", ""), "no name"),
    ],
)
def test_a_broken_file_is_named_with_its_line(folder, text, said):
    (folder / "broken.py").write_text(text)
    with pytest.raises(PluginError, match=said):
        load_registry([folder / "broken.py"], third_party=False)
