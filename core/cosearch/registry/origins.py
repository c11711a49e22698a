"""Which distribution a file belongs to, of those that brought plugins."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cosearch.registry.registry import Registry

OWN = "cosearch "
"""How the distribution of the engine begins, with its version behind."""


def distribution_of(files: Iterable[str], registry: Registry) -> str | None:
    """Return the distribution of the last file that a plugin of somebody else holds, or None.

    Args:
        files: of the frames of a traceback, outermost first.
        registry: knows the plugins.
    """
    homes = list(_homes(registry))
    for file in reversed(list(files)):
        path = Path(file).resolve()
        for home, distribution in homes:
            if path == home or home in path.parents:
                return distribution
    return None


def _homes(registry: Registry) -> Iterator[tuple[Path, str]]:
    """Yield the file or the folder of each plugin that is not the engine's own."""
    for name, plugin in registry.manager.list_name_plugin():
        distribution = name.rpartition(":")[0]
        module = getattr(plugin, "__name__", None) or type(plugin).__module__
        top = sys.modules.get(str(module).partition(".")[0])
        file = getattr(top, "__file__", None) or getattr(plugin, "__file__", None)
        if not distribution or distribution.startswith(OWN) or file is None:
            continue
        path = Path(file).resolve()
        yield (path.parent if path.name == "__init__.py" else path), distribution
