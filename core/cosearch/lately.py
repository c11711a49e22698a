"""The last few values made, by key: equal questions are answered once, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from attrs import field, frozen

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@frozen(eq=False)
class Lately(Generic[K, V]):
    """Values by key; of more than so many, those not asked for longest are dropped.

    Threads may share it. Two that ask at once for what is not at hand both make it, as making
    may take long and may ask in turn; the last one made is kept.

    Attributes:
        most: kept at once, at least 1.
    """

    most: int
    _values: OrderedDict[K, V] = field(factory=OrderedDict, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def __getstate__(self) -> tuple[int, OrderedDict[K, V]]:
        """Return what is copied and pickled: all but the lock."""
        with self._lock:
            return self.most, self._values.copy()

    def __setstate__(self, state: tuple[int, OrderedDict[K, V]]) -> None:
        """Take what was copied, under a lock of its own."""
        for name, value in zip(("most", "_values", "_lock"), (*state, Lock()), strict=True):
            object.__setattr__(self, name, value)

    def find(self, key: K) -> V | None:
        """Return the value, or None where it was never kept or has been dropped."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def keep(self, key: K, value: V) -> V:
        """Remember a value and return it."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)
        return value

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value, made where it is not at hand; what raises leaves nothing behind."""
        known = self.find(key)
        return self.keep(key, make()) if known is None else known

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)
