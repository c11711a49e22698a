"""Studies, trials and layers as rows of the store's tables, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import asdict, field, fields, frozen

from cosearch.machine.cost import PartialTiles
from cosearch.mapping.groups import GroupResult
from cosearch.mapping.mapper import Budget
from cosearch.mapping.result import LayerResult, Unmapped
from cosearch.store.wholeness import opened, sealed
from cosearch.trials.spec import StudySpec
from cosearch.trials.trial import Outcome, State, Trial
from cosearch.typing import Value

RUNNING, FINISHED, EXHAUSTED, INTERRUPTED = "running", "finished", "exhausted", "interrupted"
"""What a study can be; a killed one stays `running`, and can be resumed like an interrupted one."""


@frozen
class Header:
    """A study without its trials.

    Attributes:
        name: unique in the store.
        spec: what decides the result.
        facts: `cosearch` (version), `plugins`, `network` and `baseline` (digests), `begun`.
        budget: when it ends.
        status: `running`, `finished`, `exhausted` or `interrupted`.
        note: why it ended.
        seconds: wall-clock time over all sessions.
    """

    name: str
    spec: StudySpec
    facts: Mapping[str, Any] = field(factory=dict)
    budget: Budget = field(factory=Budget)
    status: str = RUNNING
    note: str = ""
    seconds: float = 0.0


@frozen
class PrunedDesign:
    """A design that left the space of a pruned study before a trial was spent on it.

    Attributes:
        configuration: the hardware parameters.
        floor: losses that it cannot undercut, one an objective; empty where it is impossible.
        reason: why it is impossible; empty where the floor ruled it out.
        after: trials that had ended by then; the best of them is no worse than the floor.
    """

    configuration: Mapping[str, Value]
    floor: tuple[float, ...]
    reason: str
    after: int


STUDIES = "SELECT name, spec, facts, budget, status, note, seconds FROM studies"

ADD_STUDY = (
    "INSERT INTO studies (name, spec, facts, budget, status, note, seconds) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)

TRIALS_OF = (
    "SELECT number, row, configuration, state, reason, violation, accelerator, losses, metrics, "
    "unmapped, think_seconds, trials.seconds, fidelity, violations, groups, network FROM {trials} "
    "JOIN studies ON studies.id = study WHERE name = ? AND number BETWEEN ? AND ? ORDER BY number"
)

ADD_TRIAL = "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

REMEMBER = "INSERT OR IGNORE INTO mapped VALUES (?, ?, ?, ?)"

LAYERS_OF = (
    "SELECT number, layers.name, layer, count, result FROM layers "
    "JOIN studies ON studies.id = study WHERE studies.name = ? AND number BETWEEN ? AND ? "
    "ORDER BY number, position"
)

ADD_PRUNED = "INSERT OR IGNORE INTO pruned SELECT id, ?, ?, ?, ? FROM studies WHERE name = ?"

PRUNED_OF = (
    "SELECT configuration, floor, reason, after FROM pruned "
    "JOIN studies ON studies.id = study WHERE name = ? ORDER BY after, pruned.rowid"
)

LAST_OF = "SELECT max(number) FROM trials JOIN studies ON studies.id = study WHERE name = ?"

NUMBERS_OF = "SELECT number FROM trials JOIN studies ON studies.id = study WHERE name = ?"

COUNT_OF = (
    "SELECT count(*) FROM trials JOIN studies ON studies.id = study WHERE name = ? AND number > 0"
)

WHOLE_OF = (
    "SELECT min(fidelity), count(*) FROM {trials} JOIN studies ON studies.id = study "
    "WHERE name = ? AND number > 0"
)

DESIGNS_OF = (
    "SELECT configuration, fidelity FROM {trials} JOIN studies ON studies.id = study "
    "WHERE name = ? AND number > 0 ORDER BY number"
)

LOSSES_OF = (
    "SELECT number, losses FROM {trials} JOIN studies ON studies.id = study "
    "WHERE name = ? AND number > 0 AND state = 'ok' AND fidelity = 1.0"
)


def header_values(header: Header) -> tuple[Any, ...]:
    """Return the columns of `studies` but the id."""
    return (
        header.name, header.spec.to_json(), _json(header.facts), _json(asdict(header.budget)),
        header.status, header.note, header.seconds,
    )  # fmt: skip


def header_of(row: tuple[Any, ...]) -> Header:
    """Return a study from its columns."""
    name, spec, facts, budget, status, note, seconds = row
    return Header(
        name, StudySpec.from_json(spec), json.loads(facts), Budget(**json.loads(budget)),
        status, note, seconds,
    )  # fmt: skip


def trial_values(trial: Trial) -> tuple[Any, ...]:
    """Return the columns of `trials` but the study."""
    out = trial.outcome
    return (
        trial.number, _json(trial.row), _json(trial.configuration), str(out.state), out.reason,
        out.violation, out.accelerator, _json(out.losses), _json(out.metrics),
        None if out.unmapped is None else _json(asdict(out.unmapped)), trial.think_seconds,
        out.seconds, trial.fidelity, _json(out.violations), _json([asdict(g) for g in out.groups]),
        _json(out.network),
    )  # fmt: skip


@frozen(eq=False)
class TrialRows:
    """A trial as rows of tables.

    Attributes:
        values: of `trials` but the study.
        layers: of `layers` but the study, the number and the position.
        mapped: of `mapped`: results to be remembered.
    """

    values: tuple[Any, ...]
    layers: Sequence[tuple[Any, ...]]
    mapped: Sequence[tuple[str, ...]]

    @classmethod
    def of(cls, trial: Trial, purpose: str) -> TrialRows:
        """Return the rows of a trial; see `Store.add`."""
        texts = [found_json(x) for x in trial.outcome.layers]
        pairs = zip(trial.outcome.layers, texts, strict=True)
        layers = [(x.name, x.key, x.count, text) for x, text in pairs]
        mapped = mapped_rows(trial.outcome, purpose, texts) if purpose else []
        return cls(trial_values(trial), layers, mapped)

    @property
    def placed(self) -> list[tuple[Any, ...]]:
        """The rows of `layers` but the study."""
        return [(self.values[0], i, *layer) for i, layer in enumerate(self.layers)]


def mapped_rows(
    outcome: Outcome, purpose: str, texts: Sequence[str] | None = None
) -> list[tuple[str, ...]]:
    """Return what mappers found for a design as rows of `mapped`.

    Args:
        outcome: of the design.
        purpose: of its layers' results, where they were found by one search each.
        texts: `found_json` of its layers, where that is at hand.
    """
    if outcome.searched:
        pairs = [(x.purpose, x.result) for x in outcome.searched]
        return [(outcome.accelerator, x.key, why, sealed(found_json(x))) for why, x in pairs]
    texts = [found_json(x) for x in outcome.layers] if texts is None else texts
    found = [(x.key, text) for x, text in zip(outcome.layers, texts, strict=True)]
    if outcome.unmapped is not None:
        found.append((outcome.unmapped.key, found_json(outcome.unmapped)))
    return [(outcome.accelerator, key, purpose, sealed(text)) for key, text in found]


def trial_of(row: tuple[Any, ...], layers: Iterable[LayerResult]) -> Trial:
    """Return a trial from its columns and its layers."""
    (number, point, configuration, state, reason, violation, accelerator, losses, metrics,
     unmapped, think_seconds, seconds, fidelity, violations, groups,
     network) = row  # fmt: skip
    outcome = Outcome(
        State(state),
        reason,
        violation,
        accelerator,
        tuple(_read(losses)),
        _read(metrics),
        tuple(layers),
        None if unmapped is None else Unmapped(**json.loads(unmapped)),
        seconds,
        violations=_read(violations),
        groups=tuple(GroupResult.read(facts) for facts in _read(groups)),
        network=_read(network),
    )
    return Trial(
        number, tuple(_read(point)), _read(configuration), outcome, think_seconds,
        fidelity,
    )  # fmt: skip


def pruned_values(design: PrunedDesign) -> tuple[Any, ...]:
    """Return the columns of `pruned` but the study."""
    floor = [value if math.isfinite(value) else None for value in design.floor]
    return _json(design.configuration), _json(floor), design.reason, design.after


def pruned_of(row: tuple[Any, ...]) -> PrunedDesign:
    """Return a pruned design from its columns; of an objective without a floor it is unlimited."""
    configuration, floor, reason, after = row
    losses = tuple(-math.inf if value is None else value for value in json.loads(floor))
    return PrunedDesign(json.loads(configuration), losses, reason, after)


def designs_of(rows: Iterable[tuple[str, float]]) -> list[Trial]:
    """Return trials without outcomes, for what depends on designs and fidelities alone."""
    unread = Outcome(State.FAILED, "not read")
    return [Trial(i, (), _read(text), unread, 0.0, f) for i, (text, f) in enumerate(rows, 1)]


def losses_of(row: tuple[int, str]) -> tuple[int, tuple[float, ...]]:
    """Return a trial's number and losses."""
    return row[0], tuple(_read(row[1]))


def found_json(found: LayerResult | Unmapped) -> str:
    """Return what a mapper found, without the layer's own name, digest and count."""
    facts: dict[str, Any] = {
        field.name: getattr(found, field.name)
        for field in fields(type(found))
        if field.name not in ("name", "key", "count")
    }
    partial = facts.get("partial")
    return _json(facts if partial is None else {**facts, "partial": asdict(partial)})


def found_of(key: str, sealed_text: str) -> LayerResult | Unmapped | None:
    """Return what a mapper found for the layer of that digest, its name and count left open.

    None where it is damaged: then it is found anew.
    """
    text = opened(sealed_text)
    if text is None:
        return None
    if "row" in json.loads(text):
        return layer_of("", key, 1, text)
    return Unmapped(key, **json.loads(text))


def layer_of(name: str, key: str, count: int, text: str) -> LayerResult:
    """Return a layer's result from its columns."""
    facts = _read(text)
    row, sizes = facts.pop("row", None), facts.pop("sizes", None)
    partial = facts.pop("partial", None)
    return LayerResult(
        name, key, count, tuple(row), **facts,
        sizes=None if sizes is None else tuple(sizes),
        partial=None if partial is None else PartialTiles(**partial),
    )  # fmt: skip


_ENCODER = json.JSONEncoder(allow_nan=False)
"""Made once: `json.dumps` makes one a call, unless every option is as usual."""

_DECODER = json.JSONDecoder()


def _json(value: object) -> str:
    return _ENCODER.encode(value)


def _read(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a JSON text holds that was written here; `json.loads` takes three times as long.

    Raises:
        ValueError: it is no JSON text, or has something around it.
    """
    if text == "{}":
        return {}
    if text == "[]":
        return []
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError(f"something follows after the {end} characters of a JSON text")
    return value
