"""What any plugin says of itself: its description, its options, its source."""

from __future__ import annotations

import inspect
import re
from typing import Any

from rich.console import RenderableType

from cosearch.cli.output import table
from cosearch.cli.session import Session
from cosearch.errors import CosearchError
from cosearch.quantities import whole
from cosearch.registry.registry import Named, Registry
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import Value

LISTED = 8
"""Choices of a parameter that are all shown; of more, the first and the last."""


def show(session: Session, kind: str, spec: str, *, json: bool) -> None:
    """Show a strategy, a mapper or another plugin that is a class with options."""
    named: Named[Any] = session.registry.find(kind, spec)
    facts = facts_of(session.registry, kind, named)
    space = made(named).space if kind == "network_spaces" else None
    if json:
        size = {} if space is None else {"space": {"size": space.size, "columns": space.names}}
        session.output.json({**facts, "options": options_of(named), **size})
        return
    heading(session, facts)
    session.output.show("")
    if space is not None:
        _show_space(session, space)
    show_options(session, named)


def _show_space(session: Session, space: Space) -> None:
    """Print how many networks there are, and what is chosen."""
    session.output.title("space", f"{size_of(space)} networks")
    if isinstance(space, ParameterSpace):
        session.output.show(parameter_table(space, space.defaults), "")
        return
    rows = [(n, str(c)) for n, c in zip(space.names, space.cardinalities, strict=True)]
    session.output.show(table(("name", ">choices"), rows), "")


def show_objective(session: Session, name: str, *, json: bool) -> None:
    """Show an objective: its unit and what it is computed from."""
    objective = session.registry.objective(name)
    origin = session.registry.objective_origins[name]
    if json:
        session.output.json(
            {
                "name": objective.name,
                "summary": objective.summary,
                "unit": objective.unit,
                "needs": objective.needs,
                "distribution": origin,
            }
        )
        return
    session.output.title(objective.name, f"{objective.summary}; {origin}")
    session.output.show(f"  unit   {objective.unit}; lower is better")
    session.output.show(f"  needs  {', '.join(objective.needs)}")


def facts_of(registry: Registry, kind: str, named: Named[Any]) -> dict[str, object]:
    """Return name, summary, description, distribution and source of a plugin."""
    entry = registry.entries[kind][named.name]
    return {
        "name": named.name,
        "spec": named.spec,
        "summary": entry.summary,
        "distribution": entry.distribution,
        "class": f"{named.target.__module__}.{named.target.__qualname__}",
        "description": prose(named.target),
    }


def heading(session: Session, facts: dict[str, object]) -> None:
    """Print what the facts say."""
    session.output.title(str(facts["spec"]), str(facts["summary"]))
    for paragraph in str(facts["description"]).split("\n\n"):
        session.output.prose(paragraph)
    session.output.prose(f"{facts['class']}, {facts['distribution']}", "faint")


def prose(target: type[Any]) -> str:
    """Return a class's docstring without its sections, each paragraph on one line."""
    doc = inspect.getdoc(target) if target.__doc__ else ""
    body = re.split(r"^(?:Args|Attributes|Raises|Returns):$", doc or "", flags=re.MULTILINE)[0]
    return "\n\n".join(" ".join(p.split()) for p in body.strip().split("\n\n"))


def options_of(named: Named[Any]) -> list[dict[str, object]]:
    """Return the facts of every option, with the value it has here."""
    declared: ParameterSpace = named.target.options
    return [
        {**parameter_facts(p), "value": named.options.get(p.name, p.default)}
        for p in declared.parameters
    ]


def show_options(session: Session, named: Named[Any]) -> None:
    """Print the options that may follow the name."""
    declared: ParameterSpace = named.target.options
    if not declared.parameters:
        session.output.show(f"{named.name} takes no options")
        return
    session.output.title("options", f"{named.name}:key=value,...")
    session.output.show(parameter_table(declared, {**declared.defaults, **named.options}))


def parameter_table(space: ParameterSpace, values: dict[str, Value]) -> RenderableType:
    """Return the parameters of a space, with the values of one configuration."""
    rows = [
        (p.name, text_of(values[p.name]), choices_of(p), p.unit or "", p.doc)
        for p in space.parameters
    ]
    return table(("name", ">value", "choices", "unit", "~meaning"), rows)


def choices_of(parameter: Parameter) -> str:
    """Return the choices of a parameter, a long list shortened."""
    if parameter.free:
        return parameter.allowed
    texts = [text_of(choice) for choice in parameter.choices]
    if len(texts) <= LISTED:
        return ", ".join(texts)
    return f"{', '.join(texts[:3])}, ... {texts[-1]} ({len(texts)})"


def size_of(space: Space) -> str:
    """Return how many points there are, feasible or not."""
    size = space.size
    return whole(size) if size < 1e12 else f"about 10^{len(str(size)) - 1}"


def parameter_facts(parameter: Parameter) -> dict[str, object]:
    """Return the facts of a parameter for JSON."""
    return {
        "name": parameter.name,
        "choices": parameter.choices,
        "default": parameter.default,
        "unit": parameter.unit,
        "doc": parameter.doc,
        "free": parameter.free,
    }


def text_of(value: Value) -> str:
    """Return a value as users write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def made(named: Named[Any]) -> Any:  # noqa: ANN401 - the class named
    """Return an instance, or raise CosearchError when the constructor breaks down."""
    try:
        return named.make()
    except CosearchError:
        raise
    except Exception as error:
        raise CosearchError(
            f"{named.spec} cannot be made: {type(error).__name__}: {error}"
        ) from error
