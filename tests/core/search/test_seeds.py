import subprocess
import sys

from cosearch.search.seeds import stream

CODE = "from cosearch.search.seeds import stream; print(stream(3, 'a', 'b').integers(0, 2**62))"


def first(*purpose, seed=3):
    return int(stream(seed, *purpose).integers(0, 2**62))


def test_equal_purposes_give_equal_numbers_in_another_process_too():
    out = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(out.stdout) == first("a", "b")


def test_seed_purpose_and_the_cut_between_words_all_matter():
    assert len({first("a", "b"), first("ab"), first("b", "a"), first("a", "b", seed=4)}) == 4
