"""What a worker process says besides outcomes."""

from __future__ import annotations

from attrs import frozen

READY = "ready"
"""Sent once the plugins are loaded and the names resolved."""


@frozen
class Printed:
    """What a plugin printed, to be printed by the process that asked."""

    text: str
