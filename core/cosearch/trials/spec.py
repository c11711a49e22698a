"""What a study is asked to do: names and numbers alone, from which everything can be made again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import Attribute, asdict, fields, frozen

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.mapping.mapper import Budget
from cosearch.mapping.task import COMBINATIONS, LAYERS, NETWORK
from cosearch.trials.setting import ALWAYS, KEY, setting
from cosearch.typing import Value

BATCH = 4
"""Designs a strategy proposes before it learns of their losses. It is part of what a study is, and
not the number of workers, so that any number of workers gives the same result."""

SCHEME = "nested"
"""Hardware outside, the mappings of each layer inside (arXiv 2010.02075)."""

MOST_FUSED = 4
"""Layers that run together at most unless a study says otherwise."""

EXHAUSTIVE = "exhaustive"
"""The scheme whose studies bear its name in place of a strategy's."""


def _sorted(values: Mapping[str, Value] | None) -> dict[str, Value]:
    return dict(sorted((values or {}).items()))


def _names(texts: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in texts.split(",")) if isinstance(texts, str) else (*texts,)


def _in_order(texts: str | Iterable[str] | None) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(sorted(texts or ()))


@frozen
class StudySpec:
    """The settings that decide a study's result; with equal ones, two studies are one.

    A stored study has canonical texts, `name:key=value,...`, and no setting left open. Each field
    says itself what it is.
    """

    workload: str = setting(
        "A name from `cosearch list workloads`, `name:key=value,...`, or a file.",
        metavar="WORKLOAD",
        converter=str.strip,
    )
    hardware: str = setting(
        "A hardware model from `cosearch list hardware`.",
        "--hardware",
        "-H",
        metavar="NAME",
        maps=True,
    )
    strategy: str = setting(
        "A strategy from `cosearch list strategies`.",
        "--strategy",
        "-s",
        metavar="NAME",
        default="bayesian",
    )
    mapper: str = setting(
        "A mapper or a strategy; the machine's own default if left out.",
        "--mapper",
        "-m",
        metavar="NAME",
        maps=True,
        default="",
        converter=lambda text: text or "",
    )
    objectives: tuple[str, ...] = setting(
        "What to make small; several for a Pareto front. See `cosearch list objectives`.",
        "--objective",
        "-o",
        metavar="NAME[,NAME]",
        maps=True,
        default=("edp",),
        converter=_names,
        argument="objective",
    )
    constraints: tuple[str, ...] = setting(
        "A limit on the result, such as 'area_mm2<=10' or 'area_mm2<=baseline'; may be repeated.",
        "--constraint",
        metavar="'NAME<=X'",
        repeated=True,
        default=(),
        converter=_in_order,
    )
    fixed: Mapping[str, Value] = setting(
        "Fix a parameter of the hardware model; may be repeated.",
        "--set",
        metavar="NAME=VALUE",
        repeated=True,
        maps=True,
        default=None,
        converter=_sorted,
    )
    seed: int = setting(
        "One seed, one result.", "--seed", metavar="K", least=0, maps=True, default=0
    )
    batch: int = setting(
        "Designs proposed before the strategy learns of their losses; more of them keep more "
        "workers busy, and teach it less.",
        "--batch",
        metavar="N",
        least=1,
        default=BATCH,
    )
    mapper_evaluations: int | None = setting(
        "Mappings priced per layer at most, for mappers that sample.",
        "--mapper-trials",
        metavar="N",
        least=1,
        maps=True,
        default=None,
    )
    mapper_seconds: float | None = setting(
        "Wall-clock time of a layer's search at most, with --fuse of the network's; results vary.",
        "--mapper-seconds",
        metavar="S",
        least=0,
        maps=True,
        default=None,
    )
    warm: bool = setting(
        "Tell the strategy of the baseline before it begins.", "--warm/--cold", default=True
    )
    scheme: str = setting(
        "How hardware and mappings are searched together: one of `cosearch list schemes`.",
        "--scheme",
        metavar="NAME",
        default=SCHEME,
    )
    warm_start: str = setting(
        "Tell the strategy first of the trials of this stored study on the same space.",
        "--warm-start",
        metavar="STUDY",
        default="",
        before="",
    )
    warm_start_digest: str = setting(
        "Of those trials, so that a study is never resumed from others; not for users.",
        default="",
        before="",
    )
    held: bool = setting(
        "Whether what changes the computation, such as the width of words, stays as the baseline "
        "has it unless it is asked for; not for users.",
        default=True,
        before=False,
    )
    prune: bool = setting(
        "Spend no trial on designs that cannot be built, or that are proven no better than the "
        "best found.",
        "--prune/--no-prune",
        default=False,
        before=False,
    )
    bound: bool = setting(
        "Map no further what is proven not to beat the best; for strategies that learn from no "
        "loss.",
        "--bound/--no-bound",
        default=False,
        before=False,
    )
    combine: str = setting(
        "How layers' mappings are chosen: for the whole `network`, or `layers` alone, faster.",
        "--combine",
        metavar="HOW",
        choices=COMBINATIONS,
        maps=True,
        default=NETWORK,
        before=LAYERS,
    )
    fuse: bool = setting(
        "Let layers run together, so that what flows between them stays on chip.",
        "--fuse",
        maps=True,
        default=False,
        before=False,
    )
    fuse_most: int = setting(
        "Layers that run together at most, with --fuse.",
        "--fuse-most",
        metavar="N",
        least=1,
        maps=True,
        default=MOST_FUSED,
        before=MOST_FUSED,
    )

    @classmethod
    def of(cls, workload: str, hardware: str, **settings: Any) -> StudySpec:  # noqa: ANN401
        """Return the settings with the values given, the others at their defaults.

        Args:
            workload: name, path or einsum.
            hardware: a hardware model's name with options.
            settings: the other fields by name.

        Raises:
            UnknownNameError: there is no such setting, or no such choice.
            InputError: a value is out of the question.
        """
        for name in settings:
            if name not in SETTINGS:
                raise UnknownNameError("setting", name, SETTINGS)
        return cls(workload, hardware, **{SETTINGS[k].name: v for k, v in settings.items()})

    @property
    def mapper_budget(self) -> Budget:
        """What the mapper may spend on one layer."""
        return Budget(evaluations=self.mapper_evaluations, seconds=self.mapper_seconds)

    @property
    def name(self) -> str:
        """A readable name, different for every different spec."""
        how = EXHAUSTIVE if self.scheme == EXHAUSTIVE else self.strategy
        parts = (self.workload, self.hardware, how)
        words = "-".join(_slug(part.partition(":")[0]) for part in parts)
        digest = hashlib.sha256(self.to_json().encode()).hexdigest()[:6]
        return f"{words}-{digest}"

    def to_json(self) -> str:
        """Return the canonical JSON text, without settings at the value that they once had all."""
        old = _before()
        told = {k: v for k, v in asdict(self).items() if k not in old or v != old[k]}
        return json.dumps(told, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> StudySpec:
        """Return the spec that `to_json` wrote; raises CosearchError for anything else."""
        try:
            return cls(**{**_before(), **json.loads(text)})
        except (TypeError, ValueError) as error:
            raise CosearchError(f"the settings of a stored study cannot be read: {error}") from None

    def differences(self, other: StudySpec) -> tuple[str, ...]:
        """Return each setting that differs as `name: here, there`, in words."""
        return tuple(
            f"{a.name}: {_text(getattr(self, a.name))}, not {_text(getattr(other, a.name))}"
            for a in fields(StudySpec)
            if getattr(self, a.name) != getattr(other, a.name)
        )


SETTINGS: Mapping[str, Attribute[Any]] = {
    a.metadata[KEY].argument or a.name: a for a in fields(StudySpec) if a.metadata[KEY].flags
}
"""What users may set beside the workload, by its name as an argument; see `Setting`."""

VARIED = ("hardware", "strategy", "seed", "warm", "warm_start", "prune")
"""Settings in which the runs of a comparison differ, or that would favour a contender."""

FOR_ONE_MACHINE = tuple(name for name, a in SETTINGS.items() if a.metadata[KEY].maps)
"""Settings that the mapping of layers on one machine depends on."""


def _before() -> dict[str, Any]:
    """Return the settings that studies of old did not have, at the values they had all the same."""
    how = {a.name: a.metadata[KEY] for a in fields(StudySpec)}
    return {name: s.before for name, s in how.items() if s.before is not ALWAYS}


def _slug(text: str) -> str:
    stem = text.rstrip("/").rpartition("/")[2].partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "x"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{k}={v}" for k, v in value.items()) or "none"
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return "the default" if value is None else str(value)
