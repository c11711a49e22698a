"""Trials by number, most of them in the store alone, beside a plain dictionary of all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.mapping.result import LayerResult
from cosearch.study import trials as module
from cosearch.study.judged import Judged
from cosearch.study.trials import InOrder, Trials
from cosearch.trials.trial import Outcome, State, Trial


def trial(number, x=0, fidelity=1.0):
    return Trial(number, (x,), {"x": x}, Outcome(State.OK, losses=(1.0,)), fidelity=fidelity)


@settings(max_examples=60, deadline=None)
@given(
    groups=st.lists(st.permutations(range(1, 7)), min_size=1, max_size=5),
    asked=st.lists(st.integers(0, 32), max_size=12),
)
def test_it_is_a_dictionary_whatever_is_at_hand(groups, asked):
    whole, read = {}, []

    def reader(first, last):
        read.append((first, last))
        return [whole[n] for n in sorted(whole) if first <= n <= last]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 4)
        few = Trials(reader, kept=3)
        for i, group in enumerate(groups):
            for n in group:
                whole[6 * i + n] = trial(6 * i + n)
                few.add(whole[6 * i + n])
                for number in asked:
                    assert (number in few) == (number in whole)
                    assert few.get(number) is whole.get(number)
        ordered = dict(sorted(whole.items()))
        assert list(few) == list(ordered)
        assert len(few) == len(whole)
        assert few.last == max(whole)
        assert list(InOrder(few)) == list(ordered.values())
        assert InOrder(few)[1:5] == list(ordered.values())[1:5]
        assert InOrder(few)[-1] == whole[max(whole)]
        assert bool(read) <= (len(whole) > 3)
        assert len(few._kept) <= 3
    assert "1" not in few


def test_without_a_reader_all_are_kept():
    kept = Trials(kept=1)
    for number in range(1, 50):
        kept.add(trial(number))
    assert list(kept.values()) == [trial(n) for n in range(1, 50)]
    with pytest.raises(KeyError):
        kept[50]


def test_a_design_is_answered_for_by_its_first_trial_even_where_hashes_are_shared():
    trials = {n: trial(n, x) for n, x in enumerate((-1, -2, 5, -2, -1), 1)}
    trials[6] = trial(6, -2, fidelity=0.5)
    assert hash(trials[1].design) == hash(trials[2].design)
    judged = Judged(trials.get)
    for one in trials.values():
        judged.add(one)
    found = {n: judged.find(t.design, t.fidelity).number for n, t in trials.items()}
    assert found == {1: 1, 2: 2, 3: 3, 4: 2, 5: 1, 6: 6}
    assert judged.find(trial(1, 7).design, 1.0) is None
    assert judged.find(trials[5].design, 0.5) is None


def wide(number, layers):
    found = LayerResult("a", "a", 1, (0,), 1.0, 1.0)
    outcome = Outcome(State.OK, losses=(1.0,), layers=(found,) * layers)
    return Trial(number, (number,), {"x": number}, outcome)


@pytest.mark.parametrize(("layers", "at_once"), [(1, 1024), (100, 20), (5000, 1)])
def test_what_is_read_is_bounded_by_its_layers(layers, at_once):
    spans = []

    def reader(first, last):
        spans.append(last - first + 1)
        return [wide(n, layers) for n in range(first, min(last, 60) + 1)]

    found = Trials(reader, kept=1)
    for number in range(1, 61):
        found.add(wide(number, layers))
    assert [trial.number for trial in found.values()] == [*range(1, 61)]
    assert set(spans) == {at_once}
