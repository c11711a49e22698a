"""Designs handed to an executor, whose answers may be anybody's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from cosearch.errors import CosearchError, PluginError, broken, pass_on
from cosearch.origin import origin
from cosearch.study.executor import Design, Executor, Outcomes
from cosearch.trials.trial import Outcome

ROUNDS = 3
"""Times that designs are handed out which an executor loses."""


def evaluated(executor: Executor, designs: Sequence[Design], notes: list[str]) -> Outcomes:
    """Yield every design once with its outcome, in whichever order the executor finishes them.

    An answer given twice counts once, one that nobody asked for is left aside; both are noted. What
    is lost is handed out again.

    Raises:
        PluginError: the executor raised, answered with something else, or loses designs each time.
    """
    open_ones = {design.number: design for design in designs}
    for _ in range(ROUNDS):
        with closing(executor.run(list(open_ones.values()))) as run:
            for answer in _answers(executor, run):
                number, outcome = _checked(answer, executor)
                design = open_ones.pop(number, None)
                if design is not None:
                    yield design, outcome
                else:
                    told = f"gave an outcome of trial {number} that was not asked for"
                    _note(f"{_name(executor)} {told}", notes)
        if not open_ones or executor.late:
            return
        lost = f"{_name(executor)} lost trials {sorted(open_ones)}"
        _note(f"{lost}, which were handed out again", notes)
    raise PluginError(f"{_name(executor)} gave no outcome for trials {sorted(open_ones)}")


def _answers(executor: Executor, run: Iterator[object]) -> Iterator[object]:
    """Yield what an executor's generator yields; what it raises names it."""
    while True:
        try:
            answer = next(run)
        except StopIteration:
            return
        except CosearchError:
            raise
        except BaseException as error:
            pass_on(error)
            raise broken("executor", type(executor).__name__, "run", error, executor) from error
        yield answer


def _checked(answer: object, executor: Executor) -> tuple[int, Outcome]:
    """Return number and outcome of an answer."""
    if isinstance(answer, tuple) and len(answer) == 2:
        design, outcome = answer
        if isinstance(design, Design) and isinstance(outcome, Outcome):
            return design.number, outcome
    told = f"yielded {type(answer).__name__}, not (Design, Outcome)"
    raise PluginError(f"{_name(executor)} {told}")


def _name(executor: Executor) -> str:
    """Return what messages call an executor; finding its distribution takes milliseconds."""
    return f"the executor {type(executor).__name__} {origin(executor)}"


def _note(text: str, notes: list[str]) -> None:
    if text not in notes:
        notes.append(text)
