"""Plugins that are files: one's own hardware model beside the script that searches it.

A file is executed under a name of its own and registered like an entry point: its module holds
hook implementations. Its folder can be imported from, so that it may have siblings.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from attrs import frozen

from cosearch.errors import InputError, PluginError, expanded, one_line, pass_on


@frozen
class PluginFile:
    """A file with a plugin.

    Attributes:
        path: absolute.
        digest: of its text: what a stored study remembers of it.
    """

    path: Path
    digest: str

    @property
    def distribution(self) -> str:
        """What stands where an installed plugin has its distribution and version."""
        return f"{self.path.name} {self.digest}"

    def load(self) -> ModuleType:
        """Execute the file and return its module.

        Raises:
            PluginError: it raises; the message names file and line.
        """
        place = hashlib.sha256(str(self.path).encode()).hexdigest()[:8]
        name = f"cosearch_file_{place}_{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        if spec is None or spec.loader is None:
            raise InputError(str(self.path), ["is no Python file"])
        module = importlib.util.module_from_spec(spec)
        if str(self.path.parent) not in sys.path:
            sys.path.append(str(self.path.parent))
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            pass_on(error)
            raise PluginError(f"{self._place(error)}: {one_line(error)}") from error
        return module

    def _place(self, error: BaseException) -> str:
        """Return the file and the line of it that an error comes from."""
        if isinstance(error, SyntaxError):
            return f"{error.filename}:{error.lineno}"
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f.lineno for f in frames if f.filename == str(self.path)]
        return f"{self.path}:{lines[-1]}" if lines else str(self.path)


def plugin_files(paths: Iterable[str | Path]) -> list[PluginFile]:
    """Return the files that paths name, each once; of a folder those that no underscore begins.

    Raises:
        InputError: there is no such file or folder, or nothing in it.
    """
    found: dict[Path, PluginFile] = {}
    for given in paths:
        path = expanded(given).resolve()
        files = sorted(path.glob("[!_.]*.py")) if path.is_dir() else [path]
        if not files or not all(file.is_file() and file.suffix == ".py" for file in files):
            raise InputError(str(given), ["is no .py file, and no folder of such files"])
        for file in files:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
            found[file] = PluginFile(file, digest)
    return list(found.values())
