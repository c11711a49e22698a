"""A finished study and a finished comparison, whose names try to break out of the page."""

import pytest

pytest.importorskip("plotly", reason="the HTML report is an extra")


@pytest.fixture(scope="session")
def store_path(tmp_path_factory):
    return tmp_path_factory.mktemp("html") / "cosearch.db"


@pytest.fixture(scope="session")
def registry():
    from cosearch.hooks.discovery import load_registry

    return load_registry()


@pytest.fixture(scope="session")
def study(registry, store_path):
    from cosearch.mapping.mapper import Budget
    from cosearch.store.store import Store
    from cosearch.study.codesign import open_study, plan, run

    problem = plan(registry, "gemm:M=64,N=64,K=64", "systolic", "random")
    with Store(store_path) as store:
        found = open_study(store, registry, problem, Budget(trials=8), NASTY)
        run(found, store, registry)
    return found


NASTY = '<script>window.broken = 1</script>"&<b>'
