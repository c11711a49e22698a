"""Make the virtual environment that `make` uses, on a machine that has only python3.

Needs no pip, no ensurepip (Debian splits them off) and no particular Python: it takes `uv` from the
PATH or else from its wheel on PyPI, checked against the published digest, and uv brings a Python
of 3.11 or newer where there is none. Where uv cannot be had, it falls back on venv and pip.

    python3 tools/environment.py .venv [GROUP ...]
"""

import hashlib
import html
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile

INDEX = os.environ.get("UV_DEFAULT_INDEX", "https://pypi.org/simple") + "/"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(venv, groups):
    """Install cosearch, editable, with the dependency groups into the environment."""
    try:
        uv = shutil.which("uv") or fetch_uv(os.path.join(ROOT, ".tools"))
    except (OSError, LookupError) as error:
        print("uv cannot be had (%s); using venv and pip" % error, file=sys.stderr)
        with_pip(venv, groups)
    else:
        with_uv(uv, venv, groups)


def with_uv(uv, venv, groups):
    """Make the environment with uv, which finds or fetches a Python that is new enough."""
    python = executable(venv)
    if not os.path.exists(python):
        run(uv, "venv", "--quiet", "--python", ">=3.11", venv)
    wanted = [word for group in groups for word in ("--group", group)]
    run(uv, "pip", "install", "--quiet", "--python", python, "--editable", ROOT, *wanted)


def with_pip(venv, groups):
    """Make the environment with what Python itself brings."""
    if sys.version_info < (3, 11):
        sys.exit("cosearch needs Python 3.11 or newer; this is %s" % platform.python_version())
    python = executable(venv)
    if not os.path.exists(python):
        run(sys.executable, "-m", "venv", venv)
    run(python, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1")
    wanted = [word for group in groups for word in ("--group", group)]
    run(python, "-m", "pip", "install", "--quiet", "--editable", ROOT, *wanted)


def fetch_uv(folder):
    """Return the path of uv, from its newest wheel for this machine; LookupError if none fits."""
    path = os.path.join(folder, "uv")
    if os.path.exists(path):
        return path
    print("fetching uv, the installer, into %s" % folder, file=sys.stderr)
    with urllib.request.urlopen(INDEX + "uv/", timeout=30) as answer:
        page, base = answer.read().decode(), answer.geturl()
    links = re.findall(r'href="([^"]+\.whl)#sha256=([0-9a-f]{64})"', page)
    fitting = [(html.unescape(url), digest) for url, digest in links if fits(url)]
    if not fitting:
        raise LookupError("PyPI has no uv for %s %s" % (platform.system(), platform.machine()))
    url, digest = max(fitting, key=lambda link: version(link[0]))
    with urllib.request.urlopen(urllib.parse.urljoin(base, url), timeout=120) as answer:
        wheel = answer.read()
    if hashlib.sha256(wheel).hexdigest() != digest:
        raise OSError("the downloaded wheel of uv does not have the published digest")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        member = next(n for n in archive.namelist() if n.endswith(".data/scripts/uv"))
        os.makedirs(folder, exist_ok=True)
        with open(path + ".part", "wb") as file:
            file.write(archive.read(member))
    os.chmod(path + ".part", 0o755)
    os.replace(path + ".part", path)
    return path


def fits(url):
    """Tell whether a wheel of uv runs on this machine; its file name ends in the platform."""
    name = url.rsplit("/", 1)[-1]
    machine = {"AMD64": "x86_64", "arm64": "arm64"}.get(platform.machine(), platform.machine())
    if platform.system() == "Darwin":
        return "macosx" in name and machine in name
    libc = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return libc in name and machine in name


def version(url):
    """Return the version in a wheel's name as numbers; pre-releases count as older than all."""
    text = url.rsplit("/", 1)[-1].split("-")[1]
    return [int(part) for part in text.split(".")] if re.fullmatch(r"[\d.]+", text) else [0]


def executable(venv):
    """Return the path of an environment's Python."""
    return os.path.join(venv, "bin", "python")


def run(*command):
    """Run a command; end with its exit code if it fails."""
    code = subprocess.call(command)
    if code:
        sys.exit(code)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
