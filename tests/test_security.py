"""Files are data: nothing in the sources can run what a file holds, but where it is said why."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

KNOWN = {
    ("core/cosearch/compiling/cache.py", "pickle.loads"): "our own machine code",
    ("core/cosearch/testing/conformance.py", "pickle.loads"): "bytes it has just made",
    ("plugins/cosearch_plugins/readers/torch/reader.py", "torch.export.load"): "guarded by safety",
}
"""Calls that stay, and why they may."""

FORBIDDEN = (
    "eval", "exec", "pickle.load", "pickle.loads", "marshal.load", "marshal.loads", "shelve.open",
    "dill.load", "joblib.load", "torch.load", "torch.export.load", "yaml.load", "yaml.unsafe_load",
    "yaml.full_load", "os.system", "os.popen", "subprocess.getoutput",
)  # fmt: skip


def spoken(node):
    """Return `a.b.c` for such an expression, or an empty text."""
    if isinstance(node, ast.Attribute):
        before = spoken(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def dangers(tree):
    """Yield the name of each call that may run what it is given."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = spoken(node.func)
        given = {k.arg: k.value for k in node.keywords}
        allowed = given.get("allow_pickle") or given.get("shell")
        if name in FORBIDDEN or (
            allowed is not None
            and not (isinstance(allowed, ast.Constant) and allowed.value is False)
        ):
            yield name


def test_no_file_is_executed():
    found = {
        (str(path.relative_to(ROOT)), name)
        for folder in ("core", "plugins", "hardware_models")
        for path in (ROOT / folder).rglob("*.py")
        for name in dangers(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(KNOWN)


@pytest.mark.parametrize(
    "text", ["eval(x)", "np.load(f, allow_pickle=True)", "run(c, shell=yes)", "yaml.load(f)"]
)
def test_the_rule_sees(text):
    assert list(dangers(ast.parse(text)))


def test_the_rule_lets_pass():
    assert not list(dangers(ast.parse("np.load(f, allow_pickle=False); re.compile(x)")))
