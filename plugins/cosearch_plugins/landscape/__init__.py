"""Networks and machines by sums: every network of a space on every machine, exactly.

A network's energy and cycles are sums over its layers, and networks of a space share their layers:
18 layers serve all 15,625 of NAS-Bench-201. What one machine costs with all networks is one matrix
product; what all machines cost with all networks is another.
"""

from __future__ import annotations

from typing import Any

from cosearch.registry.registration import hookimpl


@hookimpl
def cosearch_commands(app: Any) -> None:  # noqa: ANN401 - the hook's own type
    """Add `cosearch joint-table`."""
    from cosearch_plugins.landscape.command import register

    register(app)
