"""Events of a study; what an observer does wrong becomes a note in its report."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, cast

import pluggy
from attrs import evolve

from cosearch.registry.announce import announce, observed
from cosearch.study.study import Study, Trial


class Events:
    """Calls the event hooks, with a view of the study that cannot change it.

    Args:
        manager: knows the plugins.
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager

    def started(self, study: Study) -> None:
        """A study begins or is resumed."""
        self._send("cosearch_study_started", study=study)

    def trial_finished(self, study: Study, trial: Trial) -> None:
        """A trial was stored."""
        self._send("cosearch_trial_finished", study=study, trial=trial)

    def finished(self, study: Study) -> None:
        """A study ended."""
        self._send("cosearch_study_finished", study=study)

    def _send(self, event: str, *, study: Study, **facts: Any) -> None:  # noqa: ANN401
        if not observed(self._manager, event):  # as nearly always, trial by trial
            return
        shown = evolve(study, trials=cast(Any, MappingProxyType(study.trials)))
        for note in announce(self._manager, event, study=shown, **facts):
            if note not in study.notes:
                study.notes.append(note)
