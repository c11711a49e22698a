"""Install cosearch and the example packages from their wheels, and check the plugins they bring.

    python3 tools/examples.py

So is every kind of package that `cosearch plugin new` writes; the tests of all are run.
The environment stands in .tools/examples and is made anew each time.
"""

import glob
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.path.join(ROOT, ".tools", "examples")
EXAMPLES = ("cosearch-vector", "cosearch-tabu")
PLUGINS = ("vector", "tabu")
KINDS = (
    "hardware",
    "accelerator",
    "strategy",
    "workload",
    "network-space",
    "technology",
    "executor",
    "reader",
)


def main():
    """Return the first exit code that is not 0."""
    uv = shutil.which("uv") or os.path.join(ROOT, ".tools", "uv")
    shutil.rmtree(HOME, ignore_errors=True)
    dist, python = os.path.join(HOME, "dist"), os.path.join(HOME, "venv", "bin", "python")
    folders = [os.path.join(ROOT, "examples", name) for name in EXAMPLES]
    for folder in (ROOT, *folders):
        if run(uv, "build", "--quiet", "--wheel", "--out-dir", dist, folder):
            return 1
    wheels = glob.glob(os.path.join(dist, "*.whl"))
    own = os.path.join(ROOT, ".venv", "bin", "python")
    if run(uv, "venv", "--quiet", "--python", own, os.path.join(HOME, "venv")):
        return 1
    if run(uv, "pip", "install", "--quiet", "--python", python, *wheels, "pytest", "hypothesis"):
        return 1
    cosearch = os.path.join(HOME, "venv", "bin", "cosearch")
    for kind in KINDS:
        if run(cosearch, "plugin", "new", "my-" + kind, "--kind", kind):
            return 1
    folders += [os.path.join(HOME, "cosearch-my-" + kind) for kind in KINDS]
    if run(uv, "pip", "install", "--quiet", "--python", python, *folders[len(EXAMPLES) :]):
        return 1
    for name in (*PLUGINS, *("my-" + kind for kind in KINDS)):
        if run(cosearch, "plugin", "check", name):
            return 1
    return max(run(python, "-m", "pytest", "-q", folder, cwd=folder) for folder in folders)


def run(*command, cwd=HOME):
    """Run a command outside the tree, so that what is installed is what is checked."""
    os.makedirs(HOME, exist_ok=True)
    return subprocess.call(command, cwd=cwd)


if __name__ == "__main__":
    sys.exit(main())
