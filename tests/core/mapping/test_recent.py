import numpy as np

from cosearch.mapping.mapper import Mapped
from cosearch.mapping.recent import Recent


def answer(energy):
    return Mapped(np.array([1, 2]), energy, 1.0)


def test_an_equal_question_has_the_same_answer():
    recent = Recent()
    recent.keep(("machine", 1), answer(5.0))
    assert recent.find(("machine", 1)).energy_pj == 5.0
    assert recent.find(("machine", 2)) is None


def test_answers_belong_to_who_asked():
    recent, found = Recent(), answer(5.0)
    recent.keep("question", found)
    found.row[0] = 9
    recent.find("question").row[1] = 9
    assert recent.find("question").row.tolist() == [1, 2]
