import contextlib
import os
import signal

import pytest

from cosearch.cli.search import Interruption


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
