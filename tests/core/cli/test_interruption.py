import contextlib
import os
import signal
import time

import pytest

from cosearch.cli.interruption import Interruption, ending_early


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_and_the_old_handler_comes_back(number):
    before = signal.getsignal(number)
    interruption = Interruption()
    with pytest.raises(KeyboardInterrupt), interruption:
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_an_interruption_that_was_lost_comes_again_after_the_next_trial():
    interruption = Interruption()
    interruption.cosearch_trial_finished()
    with interruption:
        with contextlib.suppress(KeyboardInterrupt):  # as a callback of the compiler does
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interruption.cosearch_trial_finished()


def interrupted_in_vain():
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)


def test_an_interruption_that_was_lost_comes_again_by_itself():
    with pytest.raises(KeyboardInterrupt), Interruption():
        interrupted_in_vain()


def test_what_is_on_its_way_is_not_raised_twice():
    cleaned = []

    def clean():
        with contextlib.suppress(ZeroDivisionError):
            cleaned.append(1 / 0)
        time.sleep(0.6)
        cleaned.append(True)

    def interrupted():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            clean()

    with pytest.raises(KeyboardInterrupt), Interruption():
        interrupted()
    assert cleaned == [True]
    time.sleep(0.3)


def test_trials_stored_on_the_way_out_do_not_interrupt_again():
    interruption, stored = Interruption(), []

    def interrupted():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            interruption.cosearch_trial_finished()
            stored.append(True)

    with pytest.raises(KeyboardInterrupt), interruption:
        interrupted()
    assert stored == [True]


def interrupted_twice(asked):
    with ending_early(lambda: asked.append(1)) as came:
        os.kill(os.getpid(), signal.SIGINT)
        assert (asked, came) == ([1], [signal.SIGINT])
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)


def test_a_first_signal_asks_and_a_second_one_ends():
    before, asked = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt):
        interrupted_twice(asked)
    assert asked == [1]
    assert signal.getsignal(signal.SIGINT) is before
