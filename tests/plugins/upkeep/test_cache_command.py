import json

from cosearch.cli import main


def test_the_cache_is_shown_and_cleared(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COSEARCH_NO_PLUGINS", "1")
    words = [
        "run",
        "gemm:M=8,N=8,K=8",
        "-H",
        "eyeriss",
        "-s",
        "random",
        "-m",
        "random",
        "--trials",
        "2",
        "--quiet",
    ]
    assert main([*words, "--json"]) == 0
    capsys.readouterr()

    def cache(*more):
        assert main(["cache", *more, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    shown = cache()
    assert shown["results"] > 0
    assert shown["bytes"] > 100
    assert cache("clear") == {**shown, "cleared": True}
    assert cache("show") == {"results": 0, "bytes": 0, "cleared": False}
    assert main(["cache", "--store", "no.db"]) == 2
    assert "there is no store" in capsys.readouterr().err
