"""A store looked through for damage, and what is whole saved into another file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.store.records import Header
from cosearch.store.store import Store
from cosearch.trials.trial import Trial


@frozen
class Saved:
    """What was copied.

    Attributes:
        studies: copied.
        trials: copied, over all studies.
        lost: what could not be, a sentence each.
    """

    studies: int
    trials: int
    lost: tuple[str, ...]


def damages(path: Path) -> list[str]:
    """Return a sentence for each damage of a store; none where it is whole.

    Raises:
        CosearchError: the file is no store at all.
    """
    with Store(path, write=False) as store:
        found = store.pages()
        for name in store.names():
            try:
                store.header(name)
            except CosearchError as error:
                found.append(str(error))
            found += _damaged_trials(store, name)
    return list(dict.fromkeys(found))


def _damaged_trials(store: Store, name: str) -> list[str]:
    """Return a sentence for each trial that is damaged; all are read at once where none is."""
    try:
        known = {trial.number for trial in store.trials(name)}
        if known == set(store.numbers(name)):
            return []
    except CosearchError:
        pass
    return [str(trial) for _, trial in _each(store, name) if isinstance(trial, CosearchError)]


def repair(path: Path, target: Path) -> Saved:
    """Copy every study and trial that is whole into a new store.

    Results remembered for other studies are left behind: they are found anew.

    Raises:
        CosearchError: the target exists, or the file is no store at all.
    """
    if target.exists():
        raise CosearchError(f"{target} exists already", "name a new file")
    lost: list[str] = []
    studies = trials = 0
    with Store(path, write=False) as store, Store(target) as copy:
        for name in store.names():
            try:
                header = store.header(name)
            except CosearchError as error:
                lost.append(str(error))
                continue
            studies += 1
            trials += _copy(store, copy, header, lost)
    return Saved(studies, trials, tuple(lost))


def _copy(store: Store, copy: Store, header: Header, lost: list[str]) -> int:
    """Copy one study; return how many trials were whole."""
    copy.create(header)
    count = 0
    for _, trial in _each(store, header.name):
        if isinstance(trial, CosearchError):
            lost.append(str(trial))
        else:
            copy.add(header.name, trial, "", header.seconds)
            count += 1
    copy.update(header)
    return count


def _each(store: Store, name: str) -> Iterator[tuple[int, Trial | CosearchError]]:
    """Yield each trial of a study, or why it cannot be read."""
    for number in store.numbers(name):
        try:
            yield number, store.trial(name, number)
        except CosearchError as error:
            yield number, error
