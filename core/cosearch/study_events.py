"""Events of a study, sent to each observer by itself: one that raises costs no one anything."""

from __future__ import annotations

from typing import Any

import pluggy

from cosearch.study import Study, Trial


class Events:
    """Calls the event hooks.

    Args:
        manager: knows the plugins.
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._hook = manager.hook

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
        given = {"study": study, **facts}
        for observer in reversed(getattr(self._hook, event).get_hookimpls()):
            try:
                observer.function(*(given[name] for name in observer.argnames))
            except Exception as error:
                note = f"{observer.plugin_name} failed in {event}: {type(error).__name__}: {error}"
                if note not in study.notes:
                    study.notes.append(note)
