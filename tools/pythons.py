"""Run a quick selection of tests on other Pythons and on the lowest dependencies allowed.

    python3 tools/pythons.py              the newest Python, and the oldest with lowest dependencies
    python3 tools/pythons.py --all        every Python of this machine as well
    python3 tools/pythons.py tests/core   other tests than the selection

Environments stand in .tools/pythons and are kept. A Python that this machine lacks is skipped, and
said so: nothing is downloaded but packages.
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
OLDEST = (3, 11)
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
    tests = [word for word in arguments if not word.startswith("-")] or SELECTION
    found = pythons()
    if not found:
        print("skipped: this machine has no CPython of 3.11 or newer that uv can use")
        return 0
    jobs = [(min(found), "lowest")]
    newest = max(found)
    if newest > OLDEST:
        jobs.append((newest, "highest"))
    else:
        print("skipped: this machine has no Python newer than %d.%d" % newest)
    if "--all" in arguments:
        jobs += [(v, "highest") for v in sorted(found) if (v, "highest") not in jobs]
    running = [start(found[version], version, which, tests) for version, which in jobs]
    return sum(not ended(*job) for job in running)


def pythons():
    """Return the path of an interpreter for each minor version from the oldest allowed on."""
    listed = glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python"))
    command = [uv(), "python", "list", "--only-installed", "--output-format", "json"]
    answer = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if answer.returncode == 0:
        listed += [each["path"] for each in json.loads(answer.stdout)]
    found = {}
    for path in listed:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
