"""The last few values made, by key: equal questions are answered once, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from attrs import field, frozen

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@frozen(eq=False)
class Lately(Generic[K, V]):
    """Values by key; of more than so many, those not asked for longest are dropped.

    Attributes:
        most: kept at once, at least 1.
    """

    most: int
    _values: OrderedDict[K, V] = field(factory=OrderedDict, init=False, repr=False)

    def find(self, key: K) -> V | None:
        """Return the value, or None where it was never kept or has been dropped."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def keep(self, key: K, value: V) -> V:
        """Remember a value and return it."""
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
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)
