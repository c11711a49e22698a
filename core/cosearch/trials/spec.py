"""What a study is asked to do: names and numbers alone, from which everything can be made again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from attrs import asdict, field, fields, frozen

from cosearch.errors import CosearchError, UnknownNameError
from cosearch.mapping.mapper import Budget
from cosearch.typing import Value

BATCH = 4
"""Designs a strategy proposes before it learns of their losses. It is part of what a study is, and
not the number of workers, so that any number of workers gives the same result."""

SCHEME = "nested"
"""Hardware outside, the mappings of each layer inside (arXiv 2010.02075)."""

EXHAUSTIVE = "exhaustive"
"""The scheme whose studies bear its name in place of a strategy's."""

NETWORK = "network"
"""Mappings are chosen together, for the objective of the whole network."""

LAYERS = "layers"
"""Every layer has the mapping that is best for itself, as studies had before there was a choice."""

COMBINATIONS = (NETWORK, LAYERS)


def checked(combine: str) -> str:
    """Return one of COMBINATIONS, or raise UnknownNameError."""
    if combine not in COMBINATIONS:
        raise UnknownNameError("combination", combine, COMBINATIONS)
    return combine


def _sorted(values: Mapping[str, Value]) -> dict[str, Value]:
    return dict(sorted(values.items()))


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts)


def _in_order(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(texts))


@frozen
class StudySpec:
    """The settings that decide a study's result; with equal ones, two studies are one.

    Attributes:
        workload, hardware, strategy, mapper: canonical texts, `name:key=value,...` or a path.
        objectives: one, or several for a Pareto front.
        constraints: canonical texts, such as `area_mm2<=10`.
        fixed: hardware parameters that are not searched, and their values.
        seed: 0 or more.
        batch: designs proposed at once.
        mapper_evaluations: mappings priced per layer at most; None leaves it to the mapper.
        mapper_seconds: time per layer at most; results are then no longer reproducible.
        warm: whether the strategy is told of the baseline before it proposes anything.
        scheme: how hardware and mappings are searched together.
        warm_start: the stored study whose trials the strategy is told of first; empty for none.
        warm_start_digest: of those trials, so that a study is never resumed from others.
        combine: whether mappings are chosen for the network or for each layer alone.
    """

    workload: str
    hardware: str
    strategy: str
    mapper: str
    objectives: tuple[str, ...] = field(default=("edp",), converter=_texts)
    constraints: tuple[str, ...] = field(default=(), converter=_in_order)
    fixed: Mapping[str, Value] = field(factory=dict, converter=_sorted)
    seed: int = 0
    batch: int = BATCH
    mapper_evaluations: int | None = None
    mapper_seconds: float | None = None
    warm: bool = True
    scheme: str = SCHEME
    warm_start: str = ""
    warm_start_digest: str = ""
    combine: str = NETWORK

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
        """Return the canonical JSON text, without what settings of old did not have.

        A warm start is in it only where there is one, `combine` only where it is not by layers.
        """
        settings = asdict(self)
        if not self.warm_start:
            del settings["warm_start"], settings["warm_start_digest"]
        if self.combine == LAYERS:
            del settings["combine"]
        return json.dumps(settings, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> StudySpec:
        """Return the spec that `to_json` wrote; raises CosearchError for anything else."""
        try:
            return cls(**{"combine": LAYERS, **json.loads(text)})
        except (TypeError, ValueError) as error:
            raise CosearchError(f"the settings of a stored study cannot be read: {error}") from None

    def differences(self, other: StudySpec) -> tuple[str, ...]:
        """Return each setting that differs as `name: here, there`, in words."""
        return tuple(
            f"{a.name}: {_text(getattr(self, a.name))}, not {_text(getattr(other, a.name))}"
            for a in fields(StudySpec)
            if getattr(self, a.name) != getattr(other, a.name)
        )


def _slug(text: str) -> str:
    stem = text.rstrip("/").rpartition("/")[2].partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "x"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{k}={v}" for k, v in value.items()) or "none"
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return "the default" if value is None else str(value)
