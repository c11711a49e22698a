"""The dialogue with another program: a JSON object a line, one answer a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from attrs import define, field

from cosearch.cli.output import as_json
from cosearch.errors import CosearchError
from cosearch.registry.registration import hookimpl
from cosearch.search.strategy import Strategy
from cosearch.study.study import Study
from cosearch.trials.trial import BASELINE, Trial
from cosearch.typing import Value
from cosearch_plugins.serve.outside import Outside

MOST_DESIGNS = 10_000
"""Designs of one request."""


class HungUpError(CosearchError):
    """The other program has closed its end."""


@define(eq=False)
class Talk:
    """Answers requests; designs that are told are queued, and answered when they have ended.

    Attributes:
        study: that is served.
        asked: where requests come from.
        said: where answers go.
        strategy: takes the designs; set before the study runs.
        suggests: answers `ask`.
    """

    study: Study
    asked: TextIO
    said: TextIO
    strategy: Outside | None = None
    suggests: Strategy | None = None
    _open: dict[int, Trial | None] = field(factory=dict)
    _id: Any = None
    _next: int = 1

    def replay(self) -> None:
        """Queue the designs that the study has tried already, in their order, without a word."""
        known = self.study.trials
        while self._next in known and self.strategy is not None:
            self.strategy.add([known[self._next].row])
            self._next += 1

    def more(self) -> None:
        """Answer requests until one brings designs; raises HungUpError at the end."""
        while True:
            line = self.asked.readline()
            if not line:
                raise HungUpError("the other program has closed its end")
            if line.strip() and self._answered(line):
                return

    def rest(self) -> None:
        """Answer requests after the budget is spent, until the other program closes its end."""
        if self._open:
            self._answer_trials()
        for line in self.asked:
            if line.strip():
                self._answered(line)

    @hookimpl
    def cosearch_trial_finished(self, trial: Trial) -> None:
        """Answer a request when the last of its designs has ended."""
        if trial.number in self._open:
            self._open[trial.number] = trial
            if None not in self._open.values():
                self._answer_trials()

    def _answered(self, line: str) -> bool:
        """Answer one request; return whether it brought designs."""
        self._id = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise CosearchError("a request is a JSON object")  # noqa: TRY301
            self._id = request.get("id")
            verbs: Mapping[str, Callable[[dict[str, Any]], bool]] = {
                "space": self._space, "ask": self._ask, "tell": self._tell, "best": self._best,
            }  # fmt: skip
            verb = verbs.get(str(request.get("do")))
            if verb is None:
                raise CosearchError(f"a request says what to do: {', '.join(verbs)}")  # noqa: TRY301
            return verb(request)
        except json.JSONDecodeError as error:
            self._say({"error": f"this is no JSON: {error}"})
        except CosearchError as error:
            self._say({"error": f"{error}; {error.hint}" if error.hint else str(error)})
        return False

    def _space(self, _: dict[str, Any]) -> bool:
        problem, header = self.study.problem, self.study.header
        parameters = [
            {"name": p.name, "choices": list(p.choices), "default": p.default, "unit": p.unit,
             "doc": p.doc}
            for p in problem.space.parameters
        ]  # fmt: skip
        rules = [rule.reason for rule in getattr(problem.space, "rules", ())]
        self._say(
            {"study": self.study.name, "space": parameters, "rules": rules,
             "objectives": [{"name": o.name, "unit": o.unit} for o in problem.objectives],
             "constraints": [str(c) for c in problem.constraints], "budget": header.budget,
             "tried": len(self.study.trials), "baseline": _facts(self.study, self.study.baseline)}
        )  # fmt: skip
        return False

    def _ask(self, request: dict[str, Any]) -> bool:
        n = request.get("n", 1)
        if not isinstance(n, int) or not 1 <= n <= MOST_DESIGNS:
            raise CosearchError(f"n is a whole number from 1 to {MOST_DESIGNS}")
        if self.suggests is None:
            raise CosearchError("nothing suggests designs here", "serve with --suggest STRATEGY")
        rows = self.suggests.ask(n)
        self._say({"designs": [self.study.problem.space.decode(row) for row in rows]})
        return False

    def _tell(self, request: dict[str, Any]) -> bool:
        designs = request.get("designs")
        if not isinstance(designs, list) or not 1 <= len(designs) <= MOST_DESIGNS:
            raise CosearchError(f"designs is a list of 1 to {MOST_DESIGNS} objects")
        if self.strategy is None or self.study.header.status == "finished":
            raise CosearchError(f"the budget is spent: {self.study.header.note}")
        rows = [self._row(i, design) for i, design in enumerate(designs)]
        self._open = {self._next + i: None for i in range(len(rows))}
        self._next += len(rows)
        self.strategy.add(rows)
        return True

    def _row(self, position: int, design: object) -> tuple[int, ...]:
        space = self.study.problem.space
        if not isinstance(design, dict):
            raise CosearchError(f"designs[{position}] is no object of parameters and values")
        unknown = sorted(set(design) - set(space.names))
        if unknown:
            known = ", ".join(space.names)
            raise CosearchError(f"designs[{position}] has {unknown[0]!r}; parameters are {known}")
        values: dict[str, Value] = {**space.defaults, **design}
        try:
            return tuple(int(i) for i in space.index(values))
        except (CosearchError, ValueError) as error:
            raise CosearchError(f"designs[{position}]: {error}") from None

    def _best(self, _: dict[str, Any]) -> bool:
        front = [_facts(self.study, trial) for trial in self.study.front]
        self._say({"best": _facts(self.study, self.study.best), "front": front,
                   "tried": len(self.study.trials), "status": self.study.header.status,
                   "note": self.study.header.note})  # fmt: skip
        return False

    def _answer_trials(self) -> None:
        ended = [trial for trial in self._open.values() if trial is not None]
        cut = len(self._open) - len(ended)
        self._open = {}
        more = {"cut": cut} if cut else {}
        self._say({"trials": [_facts(self.study, trial) for trial in ended], **more})

    def _say(self, facts: Mapping[str, Any]) -> None:
        own = {} if self._id is None else {"id": self._id}
        text = json.dumps(json.loads(as_json({**own, **facts})))
        self.said.write(text + "\n")
        self.said.flush()


def _facts(study: Study, trial: Trial | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    outcome, names = trial.outcome, study.header.spec.objectives
    return {
        "trial": "baseline" if trial.number == BASELINE else trial.number,
        "design": dict(trial.configuration),
        "state": str(outcome.state),
        "losses": dict(zip(names, outcome.losses, strict=False)),
        "metrics": dict(outcome.metrics),
        "reason": outcome.reason,
        "violations": dict(outcome.violations),
    }
