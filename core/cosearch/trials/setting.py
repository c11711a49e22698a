"""A setting of a study, written once: its default, its flag and what it does.

The command line, the comparison, the integrations and the documentation read them from the fields
of `cosearch.trials.spec.StudySpec`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import NOTHING, Attribute, field, frozen

from cosearch.errors import InputError, UnknownNameError

KEY = "setting"
"""Under which a field's metadata hold its setting."""

ALWAYS: Any = object()
"""In place of a value: there has been this setting since the first study."""


@frozen
class Setting:
    """How users give a field of the settings.

    Attributes:
        about: what it does, a sentence.
        flags: on the command line; none for what is not given there.
        metavar: of the flag's value.
        least: the least number there is.
        choices: the values there are, where they are few.
        repeated: whether the flag may be repeated.
        argument: its name in calls, where that is not the field's.
        maps: whether the mapping of a layer on one machine depends on it.
        before: its value in studies that were stored before there was this setting.
    """

    about: str
    flags: tuple[str, ...] = ()
    metavar: str = ""
    least: float | None = None
    choices: Sequence[str] = ()
    repeated: bool = False
    argument: str = ""
    maps: bool = False
    before: Any = ALWAYS

    def check(self, _: object, attribute: Attribute[Any], value: Any) -> None:  # noqa: ANN401
        """Raise InputError or UnknownNameError for a value that is out of the question."""
        name = attribute.name
        if self.choices and value not in self.choices:
            raise UnknownNameError(name, str(value), self.choices)
        if self.least is not None and value is not None:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not value >= self.least:
                raise InputError(f"{name}={value}", [f"is no number of at least {self.least:g}"])


def setting(
    about: str,
    *flags: str,
    default: Any = NOTHING,  # noqa: ANN401 - of whatever type the field has
    converter: Callable[[Any], Any] | None = None,
    **how: Any,  # noqa: ANN401 - checked by Setting
) -> Any:  # noqa: ANN401 - as attrs.field
    """Return an attrs field that is a setting.

    Args:
        about: what it does.
        flags: on the command line.
        default: if left out.
        converter: of what users give.
        how: further attributes of Setting.
    """
    made = Setting(about, flags, **how)
    return field(
        default=default,
        converter=converter,
        validator=made.check,
        metadata={KEY: made},
    )
