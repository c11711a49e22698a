"""`cosearch evaluate` of a file of groups: layers that run together, priced again."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from cosearch.cli.output import Output


def evaluate_groups(output: Output, path: Path, rules: str | None, *, json: bool) -> None:
    """Price the groups of a file with the readable model, and show them.

    Raises:
        InputError: what is wrong with the file.
        Infeasible: a body cannot be run.
    """
    from cosearch.cli.text import evaluate_groups as text
    from cosearch.formats.groups import read_groups
    from cosearch.formats.rules import parse_rules
    from cosearch.loopnest.model.fused import group_cost

    file = read_groups(path)
    if rules is not None:
        machine = evolve(file.architecture, rules=parse_rules(rules))
        file = evolve(file, architecture=machine)
    costs = [group_cost(file.architecture, found.group) for found in file.groups]
    if json:
        output.json(text.facts(file, costs))
    else:
        text.show(output, file, costs)
