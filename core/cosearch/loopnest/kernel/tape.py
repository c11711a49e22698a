"""Straight-line arithmetic on whole batches, written once per layer and run by the kernel.

Values are numbered as they are made; equal expressions become one value, constants are folded,
what no result needs is dropped, and registers are reused as soon as nothing needs their content.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from attrs import define, field

from cosearch.lately import Lately
from cosearch.loopnest.kernel.opcodes import OPERANDS, WIDTH, Op
from cosearch.loopnest.kernel.state import Program, Registers
from cosearch.typing import IntArray

Immediate: TypeAlias = tuple[int, ...]
Numbers: TypeAlias = tuple[float, ...]


class Value(NamedTuple):
    """A number of every lane: a result on a tape, or an input or constant in a register.

    Attributes:
        line: position on the tape; -1 for what is in a register from the start.
        register: where an input or constant is; -1 for results.
        bits: whether it is a bit pattern instead of a real number.
        known: its value if it is a constant.
    """

    line: int
    register: int
    bits: bool = False
    known: float | None = None


@define
class Store:
    """The registers that hold something from the start: inputs first, then constants.

    Attributes:
        reals, words: how many inputs there are of each kind.
    """

    reals: int
    words: int
    _real: dict[float, Value] = field(factory=dict)
    _bits: dict[int, Value] = field(factory=dict)

    def real_input(self, position: int) -> Value:
        """Return the input at a position."""
        return Value(-1, position)

    def bits_input(self, position: int) -> Value:
        """Return the order word at a position."""
        return Value(-1, position, bits=True)

    def real(self, number: float) -> Value:
        """Return a constant."""
        if number not in self._real:
            self._real[number] = Value(-1, self.reals + len(self._real), known=number)
        return self._real[number]

    def bits(self, number: int) -> Value:
        """Return a constant bit pattern."""
        if number not in self._bits:
            self._bits[number] = Value(-1, self.words + len(self._bits), bits=True)
        return self._bits[number]

    def sizes(self) -> tuple[int, int]:
        """Return how many registers are taken, real and bits."""
        return self.reals + len(self._real), self.words + len(self._bits)

    def constants(self) -> tuple[list[Value], list[float]]:
        """Return the real constants."""
        return list(self._real.values()), list(self._real)

    def bit_constants(self) -> dict[int, int]:
        """Return register to bit pattern."""
        return {value.register: number for number, value in self._bits.items()}


class _Node(NamedTuple):
    op: int
    operands: tuple[Value, ...]
    immediates: Immediate
    numbers: Numbers
    bits: bool
    listed: tuple[Value | int, ...]

    @property
    def reads(self) -> tuple[Value, ...]:
        return (*self.operands, *(v for v in self.listed if isinstance(v, Value)))


class _Plan(NamedTuple):
    """A program without its numbers.

    Attributes:
        nodes: the instructions left, by their position on the tape.
        code: int64[n, WIDTH].
        lists: int64[m], operands of instructions that take many.
        registers: of the results.
        sizes: how many registers of each kind it needs.
    """

    nodes: tuple[int, ...]
    code: IntArray
    lists: IntArray
    registers: tuple[int, ...]
    sizes: tuple[int, int]


_PLANS: Lately[tuple[object, ...], _Plan] = Lately(256)
"""Plans of the last tapes: some kilobytes each; a network has two programs a layer."""

_LOCK = threading.Lock()
"""Of the plans: layers may be mapped in several threads."""


class Tape:
    """A program under construction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._nodes: list[_Node] = []
        self._known: dict[_Node, Value] = {}

    def emit(
        self,
        op: int,
        *operands: Value,
        immediates: Immediate = (),
        numbers: Numbers = (),
        bits: bool = False,
        listed: tuple[Value | int, ...] = (),
    ) -> Value:
        """Return the result of an instruction, the same value for the same instruction."""
        node = _Node(op, operands, immediates, numbers, bits, listed)
        if node not in self._known:
            self._known[node] = Value(len(self._nodes), -1, bits)
            self._nodes.append(node)
        return self._known[node]

    # -- arithmetic on whole numbers

    def real(self, number: float) -> Value:
        """Return a constant."""
        return self.store.real(float(number))

    def product(self, *values: Value) -> Value:
        """Multiply."""
        scale = 1.0
        rest = []
        for value in values:
            if value.known is None:
                rest.append(value)
            else:
                scale *= value.known
        if scale == 0.0 or not rest:
            return self.real(scale)
        rest.sort()
        result = rest[0]
        for value in rest[1:]:
            result = self.emit(Op.MUL2, result, value)
        return self.linear(0.0, (scale, result)) if scale != 1.0 else result

    def linear(self, constant: float, *terms: tuple[float, Value]) -> Value:
        """Return `constant + sum(coefficient * value)`, in this order."""
        open_terms = []
        for coefficient, value in terms:
            if value.known is None:
                open_terms.append((coefficient, value))
            else:
                constant += coefficient * value.known
        if not open_terms:
            return self.real(constant)
        if len(open_terms) == 1 and constant == 0.0 and open_terms[0][0] == 1.0:
            return open_terms[0][1]
        (p, a), *more = open_terms
        if not more:
            return self.emit(Op.LINEAR, a, numbers=(constant, p))
        (q, b), *more = more
        result = self.emit(Op.LINEAR2, a, b, numbers=(constant, p, q))
        return self.linear(0.0, (1.0, result), *more) if more else result

    def add(self, a: Value, b: Value) -> Value:
        """Add two numbers, whole or not."""
        if a.known == 0.0:
            return b
        return a if b.known == 0.0 else self.emit(Op.ADD, a, b)

    # -- assembly

    def assemble(
        self, first: Value, second: Value, used: Sequence[Value] = (), limits: Sequence[float] = ()
    ) -> tuple[Program, int, int]:
        """Return the program, and how many real and bits registers it needs.

        Args:
            first: energy; or the number of the first broken check.
            second: cycles; or the same again.
            used: what each check compares, by its number from 1.
            limits: with what.
        """
        results = (first, second, *used)
        one = self.real(1)
        plan = self._planned((*results, one))
        numbers = np.zeros((len(plan.nodes), 4))
        for line, index in enumerate(plan.nodes):
            found = self._nodes[index].numbers
            numbers[line, : len(found)] = found
        constants, known = self.store.constants()
        first_at, second_at, *used_at, one_at = plan.registers
        program = Program(
            plan.code,
            numbers,
            plan.lists,
            np.array([c.register for c in constants], dtype=np.int64),
            np.array(known, dtype=np.float64),
            first_at,
            second_at,
            np.array([one_at, *used_at], dtype=np.int64),
            np.array([1.0, *limits], dtype=np.float64),
        )
        return program, *plan.sizes

    def _planned(self, results: tuple[Value, ...]) -> _Plan:
        """Return the plan of a tape like this one, or make it.

        Machines of one family give tapes that differ in numbers alone: planned once.
        """
        form = self._form(results)
        with _LOCK:
            plan = _PLANS.find(form)
        if plan is None:
            plan = self._plan(results)
            with _LOCK:
                _PLANS.keep(form, plan)
        return plan

    def _form(self, results: tuple[Value, ...]) -> tuple[object, ...]:
        """Return all that a plan depends on: the instructions, without numbers."""
        nodes = tuple(
            (
                node.op,
                node.bits,
                node.immediates,
                tuple(value[:3] for value in node.operands),
                tuple(x[:3] if isinstance(x, Value) else x for x in node.listed),
            )
            for node in self._nodes
        )
        return nodes, tuple(value[:3] for value in results), self.store.sizes()

    def _plan(self, results: tuple[Value, ...]) -> _Plan:
        """Drop what no result needs, and give every value a register."""
        nodes = self._fused(results)
        place, sizes = self._allocate(nodes, self._last_reads(nodes, results))

        def register(value: Value) -> int:
            return value.register if value.line < 0 else place[value.line]

        code = np.full((len(nodes), WIDTH), 0, dtype=np.int64)
        lists: list[int] = []
        for line, (index, node) in enumerate(nodes.items()):
            operands = [register(v) for v in node.operands]
            if node.listed:
                operands = [len(lists)]
                lists += [register(v) if isinstance(v, Value) else v for v in node.listed]
            code[line, :2] = node.op, place.get(index, 0)
            code[line, 2 : 2 + len(operands)] = operands
            at = 2 + OPERANDS
            code[line, at : at + len(node.immediates)] = node.immediates
        return _Plan(
            tuple(nodes),
            code,
            np.array(lists or [0], dtype=np.int64),
            tuple(map(register, results)),
            sizes,
        )

    def _fused(self, roots: tuple[Value, ...]) -> dict[int, _Node]:
        """Return the nodes that the roots need, chains of products in one instruction."""
        uses: dict[int, int] = {}
        todo = [v.line for v in roots if v.line >= 0]
        for index in todo:
            uses[index] = uses.get(index, 0) + 1
        seen = set()
        while todo:
            index = todo.pop()
            if index in seen:
                continue
            seen.add(index)
            for value in self._nodes[index].reads:
                if value.line >= 0:
                    uses[value.line] = uses.get(value.line, 0) + 1
                    todo.append(value.line)
        nodes = {index: self._nodes[index] for index in sorted(seen)}
        for index in list(nodes):
            if nodes[index].op == Op.MUL2:
                factors = list(nodes[index].operands)
                head = factors[0]
                if head.line in nodes and uses[head.line] == 1:
                    inner = nodes[head.line]
                    if inner.op in (Op.MUL2, Op.MUL3):
                        factors = [*inner.operands, *factors[1:]]
                        del nodes[head.line]
                op = (Op.MUL2, Op.MUL3, Op.MUL4)[len(factors) - 2]
                nodes[index] = nodes[index]._replace(op=op, operands=tuple(factors))
        return nodes

    @staticmethod
    def _last_reads(nodes: dict[int, _Node], results: tuple[Value, ...]) -> dict[int, int]:
        last = {v.line: len(nodes) for v in results if v.line >= 0}
        for line, node in enumerate(nodes.values()):
            for value in node.reads:
                if value.line >= 0:
                    last[value.line] = max(last.get(value.line, 0), line)
        return last

    def _allocate(
        self, nodes: dict[int, _Node], last: dict[int, int]
    ) -> tuple[dict[int, int], tuple[int, int]]:
        """Return each result's register; a result never shares one with its own operands."""
        size = list(self.store.sizes())
        free: tuple[list[int], list[int]] = ([], [])
        place: dict[int, int] = {}
        ends: dict[int, list[int]] = {}
        for line, (index, node) in enumerate(nodes.items()):
            if index in last:
                kind = int(node.bits)
                if free[kind]:
                    place[index] = free[kind].pop()
                else:
                    place[index] = size[kind]
                    size[kind] += 1
                ends.setdefault(last[index], []).append(index)
            for done in ends.pop(line, ()):
                free[int(nodes[done].bits)].append(place[done])
        return place, (size[0], size[1])


def registers(store: Store, sizes: tuple[int, int], columns: int, lanes: int) -> Registers:
    """Return registers for a number of lanes, constant bit patterns filled in."""
    bits: IntArray = np.zeros((max(1, sizes[1]), lanes), dtype=np.int64)
    for register, pattern in store.bit_constants().items():
        bits[register] = pattern
    return Registers(
        np.empty((max(1, sizes[0]), lanes)),
        bits,
        np.zeros((columns, lanes), dtype=np.int64),
        np.zeros(lanes, dtype=np.int64),
        np.zeros(lanes + 1, dtype=np.int64),
    )
