import io

import pytest
from rich.console import Console

from cosearch.api import progress as progress_display
from cosearch.api.progress import LiveProgress, PlainProgress, Silent
from cosearch.mapping.mapper import Budget
from cosearch.store.store import Store
from cosearch.study.codesign import open_study, plan, run


@pytest.fixture
def watched(toy, tmp_path):
    """Return a function that runs a study while a display watches, and returns what was shown."""

    def watch(display_of, *, terminal, trials=20):
        text = io.StringIO()
        console = Console(file=text, force_terminal=terminal, width=100, color_system=None)
        problem = plan(toy, "gemm:M=16,N=16,K=16", "toy", "random", mapper_evaluations=40)
        with Store(tmp_path / "s.db") as store:
            study = open_study(store, toy, problem, Budget(trials=trials))
            with display_of(console) as display:
                toy.manager.register(display, name="progress")
                run(study, store, toy)
                shown = display.lines() if terminal else None
            toy.manager.unregister(name="progress")
        if shown is not None:
            console.print(shown)
        return text.getvalue()

    return watch


def test_a_pipe_gets_a_short_line_for_each_tenth(watched, monkeypatch):
    monkeypatch.setattr(progress_display, "LEAST_SECONDS", 0.0)
    lines = watched(PlainProgress, terminal=False).splitlines()
    told = (1, *range(2, 21, 2))  # the first feasible design at once
    assert [line.split(":")[0] for line in lines] == [f"{n}/20 trials" for n in told]
    assert all("best edp" in line and "\x1b" not in line for line in lines)


def test_a_pipe_is_not_flooded(watched):
    assert watched(PlainProgress, terminal=False) == ""


def test_a_pipe_hears_from_a_slow_study(watched, monkeypatch):
    monkeypatch.setattr(progress_display, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(progress_display, "MOST_SECONDS", 0.0)
    assert len(watched(PlainProgress, terminal=False).splitlines()) == 20


def test_a_terminal_shows_best_rate_bar_and_sparkline(watched):
    text = watched(LiveProgress, terminal=True)
    assert "20/20 trials" in text
    assert "best edp" in text
    assert "trials/s" in text
    assert "█" in text


def test_silence(watched):
    assert watched(lambda _: Silent(), terminal=False) == ""


def test_a_pipe_hears_of_the_first_feasible_design_at_once(watched, monkeypatch):
    monkeypatch.setattr(progress_display, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(progress_display, "TENTHS", 1)
    lines = watched(PlainProgress, terminal=False).splitlines()
    assert [line.split(":")[0] for line in lines][-1] == "20/20 trials"
    assert len(lines) == 2
    assert "best edp" in lines[0]


def test_a_first_figure_is_shown_until_there_is_a_design(study_of):
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100, color_system=None)
    PlainProgress(console).roughly("the baseline has edp 3")
    live, study = LiveProgress(console), study_of(trials=1)
    live.roughly("the baseline has edp 4")
    live.study = study
    console.print(live.lines())
    assert "has edp 3" in text.getvalue()
    assert "has edp 4" in text.getvalue()
    assert "best edp" not in text.getvalue()
    live.cosearch_trial_finished(study.in_order[0])
    text.truncate(0)
    console.print(live.lines())
    assert "has edp" not in text.getvalue()
    assert "best edp" in text.getvalue()
