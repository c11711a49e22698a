"""Run a quick selection of tests on other Pythons and on the lowest dependencies allowed.

    python3 tools/pythons.py              the newest Python, and the oldest with lowest dependencies
    python3 tools/pythons.py --all        every Python of this machine as well
    python3 tools/pythons.py --smoke      every Python, a minute in all: what `.ci/run` asks for
    python3 tools/pythons.py tests/core   other tests than the selection

Each environment also runs the studies of STUDIES, and what they store has to be equal to the last
digit everywhere; only clocks may differ. Environments stand in .tools/pythons and are kept. A
Python that this machine lacks is skipped, and said so: nothing is downloaded but packages.
"""

import glob
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.path.join(ROOT, ".tools", "pythons")
OLDEST, NEWEST = (3, 11), (3, 14)
SMOKE = (
    "tests/test_order_of_addition.py",
    "tests/core/store/test_store.py",
    "tests/core/test_quantities.py",
)
"""What needs no search to be compiled, which takes longer than a smoke may."""

STUDIES = {
    "vta": "gemm:M=16,N=16,K=16 -H vta -s evolutionary",
    "systolic": "gemm:M=30,N=50,K=70 -H systolic -s annealing",
}
"""Of a machine that numba prices and of one that numpy does, each with its own `explain`."""

HOW = "--trials 8 -m random --mapper-trials 50 --workers 1 --quiet"
CLOCKS = {"begun", "seconds", "think_seconds"}
SELECTION = (
    "tests/test_order_of_addition.py",
    "tests/core/formats",
    "tests/core/machine",
    "tests/core/search",
    "tests/core/store/test_store.py",
    "tests/core/study/test_evaluation.py",
    "tests/core/study/test_studies_of_earlier_versions.py",
    "tests/core/trials",
    "tests/plugins/executors",
    "tests/hardware_models/vta/test_vta_machine.py",
)
PLAIN = ("pytest>=8.3", "hypothesis>=6.112")
"""What the tests need; optional dependencies are left out, their tests skip themselves."""

VERSION = "import sys; print(*sys.version_info[:2])"


def main(arguments):
    """Return how many environments failed."""
    smoke = "--smoke" in arguments
    named = [word for word in arguments if not word.startswith("-")]
    tests = named or (SMOKE if smoke else SELECTION)
    if not os.path.exists(uv()):
        print("skipped: there is no uv to make environments with")
        return 0
    found = pythons()
    if not found:
        print("skipped: this machine has no CPython of 3.11 or newer that uv can use")
        return 0
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        if (3, minor) not in found:
            print("skipped: this machine has no Python 3.%d" % minor)
    if OLDEST not in found:
        print("skipped: the lowest dependencies allowed, which need Python %d.%d" % OLDEST)
    jobs = chosen(sorted(found), smoke, "--all" in arguments)
    running = [start(found[version], version, which, tests) for version, which in jobs]
    failed = sum(not ended(*job) for job in running)
    return failed or differing([name for name, *_ in running])


def chosen(found, smoke, every):
    """Return the environments to make, as versions and `lowest` or `highest` dependencies.

    The lowest PyYAML allowed has wheels for the oldest Python alone and cannot be built for others.
    """
    jobs = [(OLDEST, "lowest")] if OLDEST in found else []
    if found[-1] > OLDEST:
        jobs.append((found[-1], "highest"))
    if smoke or every:
        smoked = {OLDEST} if smoke else set()  # with its lowest dependencies, which is enough
        others = [(version, "highest") for version in found if version not in smoked]
        jobs += [job for job in others if job not in jobs]
    return jobs


def pythons():
    """Return the path of an interpreter for each minor version from the oldest allowed on."""
    listed = glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python"))
    command = [uv(), "python", "list", "--only-installed", "--output-format", "json"]
    answer = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if answer.returncode == 0:
        listed += [each["path"] for each in json.loads(answer.stdout)]
    found = {}
    for path in filter(os.path.exists, listed):  # pyenv's shims stand for what may not be chosen
        asked = subprocess.run(
            [path, "-c", VERSION], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if asked.returncode == 0:
            version = tuple(int(part) for part in asked.stdout.split())
            if version >= OLDEST:
                found.setdefault(version, path)
    return found


def uv():
    """Return the path of uv, which `tools/environment.py` has fetched if it was not there."""
    return shutil.which("uv") or os.path.join(ROOT, ".tools", "uv")


def start(python, version, which, tests):
    """Start making an environment and testing in it; return its name, process, log and clock."""
    name = "%d.%d-%s" % (*version, which)
    home = os.path.join(HOME, name)
    os.makedirs(HOME, exist_ok=True)
    own = os.path.join(home, "bin", "python")
    steps = [
        [uv(), "venv", "--quiet", "--allow-existing", "--python", python, home],
        [uv(), "pip", "install", "--quiet", "--python", own, "--editable", ROOT]
        + (["--resolution", "lowest-direct"] if which == "lowest" else [])
        + list(PLAIN),
        [own, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not exhaustive", *tests],
    ]
    steps += [step for study in STUDIES for step in stored(home, study)]
    log = os.path.join(HOME, name + ".log")
    script = " && ".join(shlex.join(step) for step in steps)
    script = "(%s) >%s 2>&1" % (script, shlex.quote(log))
    return name, subprocess.Popen(["sh", "-c", script], cwd=ROOT), log, time.time()


def ended(name, job, log, since):
    """Wait for one; print its last line, or everything where it failed."""
    code = job.wait()
    with open(log) as file:
        text = file.read().strip()
    print("Python %s: %s (%.0f s)" % (name, text.splitlines()[-1], time.time() - since))
    if code:
        print(text)
    return code == 0


def stored(home, study):
    """Return the commands that run a study anew and export it beside the environment."""
    path = os.path.join(home, study)
    command = [os.path.join(home, "bin", "cosearch")]
    file = ["--store", path + ".db"]
    return (
        ["rm", "-f", path + ".db"],
        [*command, "run", *STUDIES[study].split(), *HOW.split(), "--study", study, *file],
        [*command, "export", study, "--format", "json", "--output", path + ".json", *file],
    )


def differing(names):
    """Return how many environments stored other results than the first; name where they part."""
    count = 0
    for study in STUDIES:
        kept = {}
        for name in names:
            with open(os.path.join(HOME, name, study + ".json")) as file:
                kept[name] = json.load(file)
        for name in names[1:]:
            found = list(parting(kept[names[0]], kept[name], study))
            count += bool(found)
            for place in found[:5]:
                print("Python %s differs from %s: %s" % (name, names[0], place))
    if not count:
        print("%d studies are equal to the last digit on %s" % (len(STUDIES), ", ".join(names)))
    return count


def parting(one, other, place):
    """Yield each place where two documents differ, clocks left out."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            if key not in CLOCKS:
                yield from parting(one.get(key), other.get(key), "%s/%s" % (place, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, each in enumerate(one):  # the system's python3 may not know a strict zip
            yield from parting(each, other[number], "%s/%d" % (place, number))
    elif one != other:
        yield "%s: %r, %r" % (place, one, other)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
