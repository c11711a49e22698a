"""Counting rules as users write them: `only_innermost_loop_slides+first_fill_is_counted`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import fields

from cosearch.errors import UnknownNameError
from cosearch.machine.architecture import CostRules

PRESETS: Mapping[str, CostRules] = {
    "timeloop_2022": CostRules.timeloop_2022(),
    "timeloop_2025": CostRules(),
}
"""Versions of Timeloop by the year of their rules."""

RULES = tuple(attribute.name for attribute in fields(CostRules))


def parse_rules(text: str) -> CostRules:
    """Return the rules that a text names, joined by + or commas; presets may be among them.

    Raises:
        UnknownNameError: there is no such rule; near ones are suggested.
        CosearchError: two rules exclude each other.
    """
    given: dict[str, bool] = {}
    for word in filter(None, re.split(r"[\s,+]+", text.strip())):
        name = word.replace("-", "_")
        if name in PRESETS:
            given |= {rule: True for rule in RULES if getattr(PRESETS[name], rule)}
        elif name in RULES:
            given[name] = True
        else:
            raise UnknownNameError("counting rule", word, (*RULES, *PRESETS))
    return CostRules(**given)
