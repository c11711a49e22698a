"""Shows every call of a hook: what was asked, which plugins were, and what they said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pluggy

WIDTH = 160
"""Characters of an answer or an argument that a line shows."""


def trace_hooks(manager: pluggy.PluginManager, write: Callable[[str], None]) -> None:
    """Give `write` one line for each call of a hook that any plugin implements."""

    def before(*_: object) -> None:
        """Nothing is known yet; the line is written when the call is over."""

    def after(
        outcome: pluggy.Result[Any],
        hook: str,
        implementations: Sequence[pluggy.HookImpl],
        facts: Mapping[str, object],
    ) -> None:
        if implementations:
            names = ", ".join(i.plugin_name for i in reversed(implementations))
            arguments = ", ".join(f"{name}={_short(value)}" for name, value in facts.items())
            write(f"{hook}({arguments}) of {names} -> {_said(outcome)}")

    manager.add_hookcall_monitoring(before, after)


def _said(outcome: pluggy.Result[Any]) -> str:
    error = outcome.exception
    if error is not None:
        return f"raised {type(error).__name__}: {_short(str(error))}"
    return _short(outcome.get_result())


def _short(value: object) -> str:
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."
