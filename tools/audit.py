"""Hold what cosearch depends on at run time against known advisories, and a list with reasons.

    python3 tools/audit.py

Asks pip-audit where it can reach its data, and says in one sentence where it cannot. Either way a
package that does not stand in tools/reviewed.txt ends with exit code 1, and so do dependencies that
cannot be resolved although the package index answers.
"""

import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REVIEWED = os.path.join(ROOT, "tools", "reviewed.txt")
OF_THE_NETWORK = re.compile(
    r"\bnetwork\b|connect|resolve host|\bdns\b|timed out|failed to fetch|sending request",
    re.IGNORECASE,
)
"""What uv's message says where the package index is out of reach."""


def main():
    """Return 1 where something is unread or known to be vulnerable."""
    uv = shutil.which("uv") or os.path.join(ROOT, ".tools", "uv")
    if not os.path.exists(uv):
        print("audit skipped: there is no uv to resolve dependencies with")
        return 0
    plain = ("pip", "compile", "--quiet", "--no-header", "--no-annotate", "pyproject.toml")
    done = subprocess.run([uv, *plain], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return unresolved(done.stderr)
    with open(REVIEWED, encoding="utf-8") as file:
        unread = sorted(names(done.stdout) - names(file.read()))
    if unread:
        print("not in tools/reviewed.txt: %s" % ", ".join(unread))
    return max(bool(unread), advised(uv, done.stdout))


def unresolved(message):
    """Say why nothing could be resolved; return 0 only where the package index is out of reach."""
    last = (message.strip().splitlines() or ["uv said nothing"])[-1].strip()
    away = OF_THE_NETWORK.search(message)
    why = "skipped: the package index cannot be reached" if away else "failed: uv cannot resolve"
    print("audit %s (%s)" % (why, last))
    return 0 if away else 1


def names(text):
    """Return the packages that lines begin with."""
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)", text, re.MULTILINE))


def advised(uv, pinned):
    """Return 1 where pip-audit knows of a vulnerability, 0 also where its data is out of reach."""
    folder = os.path.join(ROOT, ".tools")
    os.makedirs(folder, exist_ok=True)  # a clone whose uv is on the PATH has none
    path = os.path.join(folder, "pinned.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(pinned)
    words = ("tool", "run", "--quiet", "pip-audit", "--disable-pip", "--no-deps", "-f", "json")
    done = subprocess.run(
        [uv, *words, "--progress-spinner", "off", "-r", path],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        found = []
    told = [each for each in found if "vulns" in each]
    if not told:
        print("advisories cannot be reached from here: the reviewed list alone was held to")
        return 0
    bad = [(each["name"], v["id"]) for each in told for v in each["vulns"]]
    for name, advisory in bad:
        print("%s: %s" % (name, advisory))
    print("%d of %d packages asked about, %d advisories" % (len(told), len(found), len(bad)))
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
