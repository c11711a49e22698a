"""Tapes compute what was written on them, with fewer instructions and registers."""

import numpy as np

from cosearch.compiling.functions import outermost
from cosearch.loopnest.kernel.interpreter import execute
from cosearch.loopnest.kernel.opcodes import Op
from cosearch.loopnest.kernel.tape import Store, Tape, registers


def _execute(code, numbers, lists, real, bits, m):
    execute(code, numbers, lists, real, bits, m)


execute_from_python = outermost(_execute, allocates=True)


def run(tape, store, result, columns):
    program, *sizes = tape.assemble(result, result)
    state = registers(store, sizes, 0, 8)
    state.real[: len(columns)] = columns
    for register, number in zip(program.constant_register, program.constant, strict=True):
        state.real[register] = number
    execute_from_python(program.code, program.numbers, program.lists, state.real, state.bits, 8)
    return state.real[program.first], program, sizes


def test_products_are_folded_shared_and_fused():
    store = Store(4, 0)
    tape = Tape(store)
    a, b, c, d = (store.real_input(i) for i in range(4))
    first = tape.product(a, b, c, d, tape.real(3))
    again = tape.product(d, tape.real(3), c, b, a)
    assert first is again
    assert tape.product(tape.real(2), tape.real(5)).known == 10
    values = np.random.default_rng(0).integers(1, 9, (4, 8)).astype(float)
    found, program, _ = run(tape, store, first, values)
    assert (found == 3 * values.prod(axis=0)).all()
    assert program.code[:, 0].tolist() == [Op.MUL4, Op.LINEAR]


def test_registers_are_reused_and_unused_values_dropped():
    store = Store(2, 0)
    tape = Tape(store)
    a, b = store.real_input(0), store.real_input(1)
    value = a
    for _ in range(50):
        value = tape.linear(1.0, (2.0, value), (-1.0, b))
        tape.product(value, value)
    values = np.ones((2, 8))
    found, program, sizes = run(tape, store, value, values)
    assert (found == 2.0**50).all()
    assert len(program.code) == 50
    assert sizes[0] <= 2 + 1 + 2  # inputs, the constant one, two in turn
