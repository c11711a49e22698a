"""Timeloop's files as templates of Jinja2: rendered in its sandbox, where it is installed.

The front end of version 0.4 takes every input file for a template. Most that are one only include
another file, `{{include_text('../problem_base.yaml')}}`. Jinja2's sandbox runs no code; what a
template may read is YAML near the file itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cosearch.errors import InputError
from cosearch_plugins.formats.timeloop.excerpt import excerpt

_MARKS = re.compile(r"\{\{|\{%")
_COMMENT = re.compile(r"(?m)(^|\s)#.*$")

SUFFIXES = (".yaml", ".yml", ".json", ".jinja", ".jinja2", ".j2")

DEEPEST = 8
"""Files that include files."""

LARGEST_POWER = 64
"""Exponent in a template's arithmetic."""

MOST_STEPS = 100_000
"""Steps of all loops over ranges."""

LARGEST = 16_000_000
"""Characters of a rendered file."""

HINT = "pip install 'cosearch[jinja]', or give the file that Timeloop's front end writes"

PASSED = "what a script passes to a template is not known here: name the files it puts together"


def is_template(text: str) -> bool:
    """Return whether a text has marks of a template outside its comments."""
    return bool(_MARKS.search(_COMMENT.sub("", text)))


def render(text: str, path: Path) -> str:
    """Return the text of a template.

    `include`, `include_text`, `include_all`, `add_to_path`, `cwd`, `find_path` and `path_exists`
    are those of Timeloop's front end.

    Raises:
        InputError: Jinja2 is not installed, the template is wrong, or reads what it may not.
    """
    try:
        import jinja2
        import jinja2.ext
        import jinja2.sandbox
    except ImportError:
        problem = "is a template of Jinja2, which is not installed"
        raise InputError(str(path), [problem], HINT) from None
    return _Renderer(jinja2, path).render(text, path, 0)


def _sandbox(jinja2: Any) -> Any:  # noqa: ANN401 - a module, and an environment of it
    """Return an environment that runs no code and makes no huge values."""

    class Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):  # type: ignore[misc]
        intercepted_binops = frozenset(("*", "**"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
            numbers = all(isinstance(side, int | float) for side in (left, right))
            if not numbers or (operator == "**" and abs(right) > LARGEST_POWER):
                raise jinja2.sandbox.SecurityError(f"{operator} is for numbers of common size")
            return super().call_binop(context, operator, left, right)

    return Sandbox(undefined=jinja2.StrictUndefined, extensions=[_assertions(jinja2)])


def _assertions(jinja2: Any) -> Any:  # noqa: ANN401 - a module, and an extension of it
    """Return the tag `{% assert condition, "message" %}` of AccelForge's files."""

    class Assertions(jinja2.ext.Extension):  # type: ignore[misc]
        tags = frozenset(("assert",))

        def parse(self, parser: Any) -> Any:  # noqa: ANN401
            line = next(parser.stream).lineno
            said = [parser.parse_expression()]
            if parser.stream.skip_if("comma"):
                said.append(parser.parse_expression())
            check = self.call_method("check", said, lineno=line)
            return jinja2.nodes.CallBlock(check, [], [], []).set_lineno(line)

        def check(self, condition: object, message: object = "", **_: object) -> str:
            if not condition:
                raise jinja2.TemplateRuntimeError(f"it asserts what does not hold: {message}")
            return ""

    return Assertions


class _Renderer:
    """Renders one file and those that it includes."""

    def __init__(self, jinja2: Any, path: Path) -> None:  # noqa: ANN401 - a module
        self.jinja2 = jinja2
        self.top = path
        self.folders = [path.parent]
        self.excerpts = self.steps = 0

    def render(self, text: str, path: Path, depth: int) -> str:
        if depth > DEEPEST:
            raise InputError(str(path), [f"files include files more than {DEEPEST} deep"])
        environment = _sandbox(self.jinja2)
        environment.globals = {
            "add_to_path": self._add_to_path,
            "range": self._range,
            "cwd": lambda: str(path.parent),
            "find_path": lambda name: str(self._find(name, path)),
            "path_exists": lambda name: self._found(name, path) is not None,
            "include": lambda name, *keys: self._part(str(name), keys, path, depth),
            "include_text": lambda name: self._include(str(name), path, depth),
            "include_all": lambda names, *keys: self._include_all(str(names), keys, path, depth),
        }
        try:
            out = environment.from_string(text).render()
        except self.jinja2.TemplateError as error:
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else str(path)
            problem = f"the template cannot be rendered: {error}"
            asks = isinstance(error, self.jinja2.UndefinedError)
            raise InputError(where, [problem], PASSED if asks else "") from None
        except (TypeError, ValueError, ArithmeticError, MemoryError, RecursionError) as error:
            raise InputError(str(path), [f"the template cannot be rendered: {error}"]) from None
        if len(out) > LARGEST:
            raise InputError(str(path), [f"is rendered to more than {LARGEST:,} characters"])
        return str(out)

    def _range(self, *bounds: int) -> range:
        """Return a range, if all of a rendering together are bearable."""
        found = range(*bounds)
        self.steps += len(found)
        if self.steps > MOST_STEPS:
            raise ValueError(f"loops of more than {MOST_STEPS:,} steps")
        return found

    def _add_to_path(self, folder: str) -> str:
        self.folders.append(self.top.parent / str(folder))
        return ""

    def _include(self, name: str, path: Path, depth: int) -> str:
        file = self._find(name, path)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(str(file), ["is not UTF-8 text"]) from None
        return self.render(text, file, depth + 1) if is_template(text) else text

    def _part(self, name: str, keys: tuple[str, ...], path: Path, depth: int) -> str:
        """Return a file, or on one line what stands under a key of it."""
        text = self._include(name, path, depth)
        return self._excerpt([(self._find(name, path), text)], keys) if keys else text

    def _include_all(self, names: str, keys: tuple[str, ...], path: Path, depth: int) -> str:
        """Return the files of a folder, or of a pattern of names, one behind the other."""
        folder, _, pattern = names.rpartition("/") if "*" in names else (names, "", "*")
        bases = (base for base in (path.parent, *self.folders) if (base / folder).is_dir())
        base = next(bases, None)
        if not self._near(folder):
            raise InputError(str(path), [f"may not read {names!r}: YAML files near it only"])
        if base is None:
            raise InputError(str(path), [f"includes the folder {folder!r}, which is not there"])
        found = sorted((base / folder).glob(pattern))
        files = [file for file in found if file.suffix.lower() in SUFFIXES]
        texts = [(file, self._include(file.name, file, depth)) for file in files]
        return self._excerpt(texts, keys) if keys else "\n".join(text for _, text in texts)

    def _excerpt(self, texts: list[tuple[Path, str]], keys: tuple[str, ...]) -> str:
        self.excerpts += 1
        return excerpt(texts, keys, f"part{self.excerpts}_")

    def _find(self, name: str, path: Path) -> Path:
        found = self._found(name, path)
        if found is None:
            raise InputError(str(path), [f"includes {name!r}, which is not there"])
        return found

    def _found(self, name: str, path: Path) -> Path | None:
        """Return a file to read: YAML, named relative to the template or its search path."""
        if not self._near(name) or Path(name).suffix.lower() not in SUFFIXES:
            raise InputError(str(path), [f"may not read {name!r}: YAML files near it only"])
        for folder in (path.parent, *self.folders):
            if (folder / name).is_file():
                return folder / name
        return None

    def _near(self, name: str) -> bool:
        """Return whether a name is relative, or one that a template made of its `cwd()`."""
        return not Path(name).is_absolute() or Path(name).is_relative_to(self.top.parent)
