"""Events for observers: each plugin is called by itself, and one that raises stops no other."""

from __future__ import annotations

import pluggy

from cosearch.errors import one_line


def observed(manager: pluggy.PluginManager, event: str) -> bool:
    """Return whether any plugin wants to hear of an event."""
    return bool(getattr(manager.hook, event).get_hookimpls())


def announce(manager: pluggy.PluginManager, event: str, **facts: object) -> tuple[str, ...]:
    """Call a hook of one plugin after the other, in the order in which they were found.

    Args:
        manager: knows the plugins.
        event: the hook, such as `cosearch_trial_finished`.
        facts: its parameters, by name.

    Returns:
        One complaint for each implementation that raised, naming its plugin.
    """
    complaints: list[str] = []
    for name, plugin in manager.list_name_plugin():
        others = [p for p in manager.get_plugins() if p is not plugin]
        caller = manager.subset_hook_caller(event, remove_plugins=others)
        try:
            caller(**facts)
        except (Exception, SystemExit) as error:
            complaints.append(f"{name} failed in {event}: {one_line(error)}")
    return tuple(complaints)
