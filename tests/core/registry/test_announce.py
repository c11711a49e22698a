import sys

from cosearch.hooks.discovery import load_registry
from cosearch.registry.announce import announce


def test_one_raising_observer_stops_no_other(distribution):
    source = """
        from cosearch.registry.registration import hookimpl

        SEEN = []

        @hookimpl
        def cosearch_study_finished(study):
            SEEN.append(study)
            {then}
    """
    first = distribution("first", source.format(then="pass"))
    distribution("second", source.format(then="raise ValueError('no')"))
    third = distribution("third", source.format(then="pass"))
    complaints = announce(load_registry().manager, "cosearch_study_finished", study="it")
    assert complaints == ("second 1.0:plugin failed in cosearch_study_finished: ValueError: no",)
    modules = sys.modules
    assert modules[first].SEEN == modules[third].SEEN == ["it"]


def test_a_trace_shows_events_too(distribution):
    distribution(
        "acme",
        """
        from cosearch.registry.registration import hookimpl

        @hookimpl
        def cosearch_trial_finished(trial):
            return None
        """,
    )
    lines = []
    registry = load_registry(trace=lines.append)
    announce(registry.manager, "cosearch_trial_finished", study="mine", trial=7)
    assert [line for line in lines if "trial_finished" in line] == [
        "cosearch_trial_finished(study=mine, trial=7) of acme 1.0:plugin -> []"
    ]
