"""How functions are compiled: every flag, and LLVM's work done once.

numba optimizes each function it compiles, with all that it calls, and makes machine code of it;
then it does so again in every caller. Functions called from compiled code alone (`compiled`,
`inlined`, `allocating`) are therefore only translated here; what Python calls, an `entry` of a
`cosearch.compiling.parts.Part`, is linked with all that it calls, and optimized once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

from llvmlite.binding import Linkage, parse_assembly
from numba import _dynfunc, njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering

F = TypeVar("F", bound=Callable[..., Any])


class _Translated(JITCodeLibrary):  # type: ignore[misc]  # numba has no types
    """The code of a function that waits to be linked into its callers."""

    def finalize(self) -> None:
        """Link what the function calls; leave it to the entry to optimize it."""
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)  # noqa: SLF001 - numba's
        self._finalized = True


class _Whole(JITCodeLibrary):  # type: ignore[misc]  # numba has no types
    """The code of an entry and of all that it calls."""

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager()  # noqa: SLF001 - numba's own
        passes.run(self._final_module, builder)

    def _get_module_for_linking(self) -> Any:  # noqa: ANN401 - llvmlite's
        """Return what is kept beside the machine code: the names of what Python calls.

        Nothing is linked with an entry, so that its code need not be kept a second time.
        """
        names = [f.name for f in self.get_defined_functions() if f.linkage == Linkage.external]
        return parse_assembly("\n".join(f'define void @"{n}"() {{ ret void }}' for n in names))


@register_pass(mutates_CFG=True, analysis_only=False)
class _Translate(NativeLowering):  # type: ignore[misc]  # numba has no types
    _name = "cosearch_translate"

    def run_pass(self, state: Any) -> bool:  # noqa: ANN401 - numba's
        state.library = _Translated(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        name = state.func_id.func_name
        fndesc, library, env = state["cr"].fndesc, state.library, state["cr"].env
        function = _dynfunc.make_function(fndesc.lookup_module(), name, "", 0, env, (library,))
        state.targetctx.insert_user_function(function, fndesc, [library])
        state["cr"] = state["cr"]._replace(cfunc=function)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _Compile(NativeLowering):  # type: ignore[misc]  # numba has no types
    _name = "cosearch_compile"

    def run_pass(self, state: Any) -> bool:  # noqa: ANN401 - numba's
        state.library = _Whole(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


_NEEDLESS = frozenset(
    [
        "DeadBranchPrune",
        "DumpParforDiagnostics",
        "FindLiterallyCalls",
        "InlineClosureLikes",
        "InlineInlinables",
        "InlineOverloads",
        "LiteralPropagationSubPipelinePass",
        "LiteralUnroll",
        "MakeFunctionToJitFunction",
        "NoPythonSupportedFeatureValidation",
        "NopythonRewrites",
        "RewriteDynamicRaises",
        "RewriteSemanticConstants",
        "WithLifting",
    ]
)
"""Steps of numba's for closures, literals, array expressions and the like, which no compiled
function has. numba looks through a function for each of them, an eighth of the compiling."""


def _pipeline(lowering: type[NativeLowering]) -> type[CompilerBase]:
    class Pipeline(CompilerBase):  # type: ignore[misc]  # numba has no types
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.passes = [
                (lowering if step is NativeLowering else step, text)
                for step, text in passes.passes
                if step.__name__ not in _NEEDLESS
            ]
            passes.finalize()
            return [passes]

    return Pipeline


_INNER = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "pipeline_class": _pipeline(_Translate),
}
_OUTER = {
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "pipeline_class": _pipeline(_Compile),
}


class _Inner(CPUDispatcher):  # type: ignore[misc]  # numba has no types
    """A function without a wrapper for Python, where numba's own would call a null pointer."""

    def __call__(self, *_arguments: object, **_named: object) -> NoReturn:
        """Raise TypeError."""
        raise TypeError(
            f"{self.py_func.__module__}.{self.py_func.__qualname__} can be called from compiled "
            "code alone: call an entry that calls it, or its `py_func`, which is not compiled"
        )


def _inner(function: F, **options: bool) -> F:
    made = njit(**options, **_INNER)(function)
    if isinstance(made, CPUDispatcher):  # with NUMBA_DISABLE_JIT it is the function itself
        made.__class__ = _Inner
    return cast("F", made)


def compiled(function: F) -> F:
    """Compile a function that compiled code calls, and that makes no arrays."""
    return _inner(function, _nrt=False)


def inlined(function: F) -> F:
    """Compile the same for a small one, whose every call is replaced by its body."""
    return _inner(function, _nrt=False, forceinline=True)


def allocating(function: F) -> F:
    """Compile the same for one that makes arrays of its own, whose references are counted."""
    return _inner(function)


def outermost(function: F, *, allocates: bool) -> Any:  # noqa: ANN401 - numba's dispatcher
    """Compile a function that Python calls: an entry, with all that it calls."""
    return njit(_nrt=allocates, **_OUTER)(function)
