"""Options made from the settings of a study: no command repeats what `StudySpec` says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Annotated, Any, TypeAlias, get_type_hints

import typer
from attrs import NOTHING, Attribute

from cosearch.errors import CosearchError
from cosearch.trials.setting import KEY, Setting
from cosearch.trials.spec import SETTINGS, StudySpec

Given: TypeAlias = Mapping[str, Any]
"""Values by the names that `StudySpec` has for its arguments."""

Command: TypeAlias = Callable[..., None]


def takes_settings(
    names: Iterable[str], aliases: Mapping[str, str] | None = None
) -> Callable[[Command], Command]:
    """Give a command the options of settings, in the place of its parameter `given`.

    Args:
        names: of settings, as arguments of `StudySpec`.
        aliases: further flags, by name.
    """
    added = {name: _parameter(name, (aliases or {}).get(name)) for name in names}

    def dress(command: Command) -> Command:
        @wraps(command)
        def dressed(**values: Any) -> None:  # noqa: ANN401 - typer has checked them
            given = {name: values.pop(name) for name in added}
            if "fixed" in given:
                given["fixed"] = fixed_parameters(given["fixed"])
            command(**values, given=given)

        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(command, eval_str=True).parameters.values():
            as_keyword = own.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            parameters += added.values() if own.name == "given" else [as_keyword]
        signature = inspect.Signature(parameters)
        vars(dressed).update(__signature__=signature)
        dressed.__annotations__ = {p.name: p.annotation for p in parameters}
        return dressed

    return dress


def _parameter(name: str, alias: str | None) -> inspect.Parameter:
    """Return the option of a setting as a parameter of a command."""
    attribute = SETTINGS[name]
    how: Setting = attribute.metadata[KEY]
    default = _default(attribute)
    option = typer.Option(
        *how.flags,
        *filter(None, [alias]),
        metavar=how.metavar or None,
        min=how.least,
        help=how.about,
        show_default=default not in ("", None, inspect.Parameter.empty),
    )
    kind = get_type_hints(StudySpec)[attribute.name]
    if isinstance(attribute.default, tuple):
        kind = str
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[list[str] | None if how.repeated else kind, option],
    )


def _default(attribute: Attribute[Any]) -> Any:  # noqa: ANN401 - of the field's type
    if attribute.default is NOTHING:
        return inspect.Parameter.empty
    if attribute.metadata[KEY].repeated:
        return None
    default = attribute.default
    return ",".join(default) if isinstance(default, tuple) else default


def fixed_parameters(texts: Iterable[str] | None) -> dict[str, str]:
    """Return `--set name=value` options by name; raises CosearchError for one without `=`."""
    given: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise CosearchError(f"--set {text!r} is not NAME=VALUE", "for example: --set mesh_x=16")
        if given.setdefault(name, value) != value:
            raise CosearchError(f"--set gives {name} twice: {given[name]} and {value}")
    return given
