"""Mutated files for every reader, and mutated options: what comes of each is a result or a message.

    python benchmarks/fuzz.py 20000 --seed 1 --keep build/leaks

A leak is any other error, a plugin's (a reader that raised), an input that takes more than 20
seconds, or exit code 70 of a command. The first of each kind is printed, and kept as a file.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from attrs import define, field

from cosearch.cli import main as command
from cosearch.errors import CosearchError, PluginError
from cosearch.formats.groups import read_groups
from cosearch.formats.spec import read_specification
from cosearch.hooks.discovery import load_registry
from cosearch.registry.registry import Registry
from cosearch.search.objective import Constraint
from cosearch.store.store import Store
from cosearch.study.building import make_hardware, make_mapper, make_networks, make_strategy
from cosearch.workload.source import resolve

ROOT = Path(__file__).parents[1]

SECONDS = 20
"""That one input may take."""

ODD = [
    b"!!bool ", b"!!int ", b"&a ", b"*a ", b"<<: ", b"\xff", b"\x00", b"\xed\xa0\x80", b"\x1b[31m",
    b"9" * 400, b"-1", b"1e999", b".nan", b"[", b"{", b"}", b": ", b"- ", b"? ", b"~", b"''",
    b"|\n", b"0x", b"2020-13-99", b"\xe2\x80\xae", b"%YAML 9.9\n", b"---\n", b"...\n", b"\t", b"\r",
    b"0", b"1.5", b"null", b"true", b"\n", b",", b"=", b";", b"+=", b"*", b"{{ x }}",
    b"{% for a in b %}", b"9223372036854775807", b"\xd9\xa3", b"\"", b"\\", b"/../", b"~nobody",
]  # fmt: skip

NATIVE = b"""version: 1
name: tiny
layers:
  - name: conv1
    conv: {K: 16, C: 3, P: 32, Q: 32, R: 3, S: 3, stride: 2}
  - {name: projection, count: 4, gemm: {M: 64, N: 128, K: 128}}
  - name: scores
    einsum: "S[h,m,n] += Q[h,m,e] * K[h,n,e]"
    sizes: {h: 8, m: 64, n: 64, e: 16}
  - name: values
    einsum: "V[h,m,e] += S[h,m,n] * X[h,n,e]"
    sizes: {h: 8, m: 64, n: 64, e: 16}
    weights: X
    reads: {layer: scores, operand: S, whole: [2]}
"""

ACCELFORGE = b"""workload:
  rank_sizes: {M: 128, C: 64, N: 2, P: 24, Q: 20, R: 3, S: 5}
  bits_per_value: {All: 8}
  persistent_tensors: weight - Intermediates
  einsums:
  - name: Conv
    tensor_accesses:
    - {name: I, projection: {N: n, C: c, H: 2*p+r, W: q+s}, bits_per_value: 8}
    - {name: F, projection: [m, c, r, s], bits_per_value: 4}
    - {name: O, projection: [n, m, p, q], output: True}
  - einsum: "Z[n, m, p, q] = O[n, m, p, q] * G[n, m]"
"""

ZIGZAG = b"""- id: 0
  operator_type: Conv
  equation: O[b][k][y][x]+=W[k][c][fy][fx]*I[b][c][iy][ix]
  dimension_relations: [ix=2*x+1*fx, iy=2*y+1*fy]
  loop_dims: [B,K,C,Y,X,FY,FX]
  loop_sizes: [1,16,3,10,12,3,5]
  operand_precision: {O: 16, O_final: 8, W: 8, I: 8}
  operand_source: {I: 0, W: 0}
"""

MAESTRO = b"""// sizes of a product
Constant SzM 100;
Network small {
  Layer conv1 { Type: CONV
    Stride { X: 4, Y: 4 }
    Dimensions { K: 96, C: 3, R: 11, S: 11, Y: 227, X: 227 } }
  Layer deep { Type: DSCONV Stride { X: 1, Y: 1 }
    Dimensions { K: 1, C: 32, R: 3, S: 5, Y: 12, X: 14 }
    Dataflow { SpatialMap(1,1) C; Cluster(Sz(R), P); } }
  /* Layer gone { Type: CONV } */
  Layer product { Type: GEMM Dimensions { K: 7, M: SzM, N: 5 } }
}
"""

SCALESIM = b"""Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, \
Num Filter, Strides,
Conv1, 224, 224, 7, 7, 3, 64, 2,
Conv2, 56, 56, 3, 3, 64, 64, 1,
"""

PRODUCTS = b"Layer, M, N, K,\nfirst, 10, 20, 30,\nsecond, 1, 2, 3,\n"

SCALESIM_MACHINE = b"""[general]
run_name = x
[architecture_presets]
ArrayHeight:    32
ArrayWidth:     32
IfmapSramSzkB:    64
FilterSramSzkB:   64
OfmapSramSzkB:    64
IfmapOffset:    0
FilterOffset:   10000000
OfmapOffset:    20000000
Dataflow : os
Bandwidth : 10
MemoryBanks: 1
[run_presets]
InterfaceBandwidth: CALC
"""

SETTINGS = [
    "gemm:M=8,N=9,K=10", "conv:K=3,C=4,P=5,Q=6,R=3,S=3,stride=2", "llama:size=1.1B,tokens=4",
    "O[m,n] += A[m,k] * B[k,n]; m=1, n=2, k=3", "resnet18:conv1", "0.5*alexnet+0.5*vgg16",
    "eyeriss:technology=pat,word_bits=8", "gemmini:technology=scaled:node=7", "vta", "systolic",
    "roofline:board=x", "crossbar:bits=4", "evolutionary:population=8", "exact:nodes=100",
    "bayesian", "area_mm2<=10", "energy<=baseline", "mobilenetv2:width=0.5", "split:link_gbps=1",
    "ofa-mobilenetv3", "mixed-precision:of=alexnet,bits=2..8",
]  # fmt: skip


def onnx_files() -> Iterator[bytes]:
    """Yield two small models, where onnx is installed: products, and a convolution in a branch."""
    try:
        import numpy as np
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        return
    kind = TensorProto.FLOAT
    stored = [
        numpy_helper.from_array(np.ones((8, 16), np.float32), "w"),
        numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "f"),
        numpy_helper.from_array(np.array([4, -1]), "shape"),
    ]
    chain = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Reshape", ["b", "shape"], ["y"]),
    ]
    filters = [
        helper.make_node("Conv", ["x", "f"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["a"], ["b"]),
        helper.make_node("Flatten", ["b"], ["y"]),
    ]
    for nodes, shape in ((chain, (4, 8)), (filters, (1, 3, 8, 8))):
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("x", kind, shape)],
            [helper.make_tensor_value_info("y", kind, None)],
            stored,
        )
        opset = [helper.make_opsetid("", 18)]
        yield helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()


def examples() -> list[tuple[str, bytes]]:
    """Return files that can be read, with their suffixes."""
    texts = [(".yaml", text) for text in (NATIVE, ACCELFORGE, ZIGZAG)]
    texts += [(".m", MAESTRO), (".csv", SCALESIM), (".csv", PRODUCTS), (".cfg", SCALESIM_MACHINE)]
    files = sorted((ROOT / "examples").rglob("*.yaml"))  # the file system's order is no order
    texts += [(path.suffix, path.read_bytes()) for path in files]
    texts += [(".onnx", model) for model in onnx_files()]
    table = ROOT / "tests" / "data" / "networks" / "zero_cost.csv"
    texts.append((".csv", b"\n".join(table.read_bytes().splitlines()[:6])))
    texts.append((".csv", gzip.compress(texts[-1][1])))
    return texts


def a_store(folder: Path) -> bytes:
    """Return a store with a study in it."""
    path = folder / "whole.db"
    words = (
        f"--quiet run gemm:M=8,N=8,K=8 -H systolic -s random --trials 2 --workers 1 --store {path}"
    )
    silently(lambda: command(words.split()))
    return path.read_bytes()


def silently(act: Callable[[], object]) -> object:
    """Return what a command returns, without what it prints."""
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        return act()
    finally:
        for i, number in enumerate(kept, 1):
            os.dup2(number, i)
            os.close(number)
        os.close(nowhere)


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Return a content with a few pieces put in, cut out, doubled or overwritten."""
    out = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(out) + 1)
        kind = draw.randrange(5)
        if kind == 0:
            out[at:at] = draw.choice(ODD)
        elif kind == 1:
            del out[at : at + draw.randint(1, 30)]
        elif kind == 2 and at < len(out):
            out[at] = draw.randrange(256)
        elif kind == 3:
            start = draw.randrange(len(out) + 1)
            out[at:at] = out[start : start + draw.randint(1, 40)]
        else:
            out[at : at + draw.randint(1, 12)] = draw.choice(ODD)
    return bytes(out)


@define
class Fuzzer:
    """Draws inputs and counts what comes of them.

    Attributes:
        draw: of everything.
        folder: for the files.
        keep: where leaks are kept; None for nowhere.
        outcomes: how many were read, and how many refused.
        leaks: what leaked and where, with an input.
    """

    draw: random.Random
    folder: Path
    keep: Path | None = None
    registry: Registry = field(factory=lambda: load_registry(third_party=False))
    outcomes: Counter[str] = field(factory=Counter)
    leaks: dict[str, bytes] = field(factory=dict)

    def tried(self, act: Callable[[], object], content: bytes) -> None:
        """Do something with a content, and remember what it leaks."""
        began = time.monotonic()
        signal.alarm(SECONDS)
        try:
            done = act()
            self.outcomes["read"] += 1
            if done == "bug":
                self.leaked("exit code 70", content)
        except PluginError as error:
            self.leaked(f"{str(error)[-200:]} {_place(error)}", content)
        except (CosearchError, OSError) as error:
            self.outcomes["refused"] += 1
            if not str(error).strip() or "Traceback" in str(error):
                self.leaked(f"no message {_place(error)}", content)
        except Exception as error:  # this is what is looked for
            self.leaked(f"{type(error).__name__}: {str(error)[:150]} {_place(error)}", content)
        finally:
            signal.alarm(0)
        if time.monotonic() - began > SECONDS:
            self.leaked("too slow", content)

    def leaked(self, what: str, content: bytes) -> None:
        """Remember the first of a kind."""
        self.outcomes["leaked"] += 1
        kind = what.partition(" at ")[2] or what
        if kind not in self.leaks:
            self.leaks[kind] = content
            print("LEAK", what, content[:300], flush=True)
            if self.keep:
                (self.keep / f"leak{len(self.leaks)}").write_bytes(content)

    def file(self, suffix: str, content: bytes) -> None:
        """Read a file in every way there is."""
        path = self.folder / f"fuzzed{suffix}"
        path.write_bytes(content)
        hook = self.registry.manager.hook
        self.tried(lambda: resolve(str(path), self.registry), content)
        self.tried(lambda: self.built(str(path)), content)
        way = self.draw.randrange(6)
        if way == 0:
            self.tried(lambda: read_specification([path]), content)
        elif way == 1:
            self.tried(lambda: read_groups(path), content)
        elif way == 2:
            named = f"accelergy:ert={path},art={path}"
            self.tried(lambda: self.built(f"eyeriss:technology={named}"), content)
            self.tried(
                lambda: hook.cosearch_read_mapped_layer(
                    paths=[path], tool="timeloop", tables={}, technology=None, rules=None
                ),
                content,
            )
        elif way == 3:
            self.tried(lambda: self.networks(f"mixed-precision:table={path}"), content)
        elif way == 4:
            kind = self.draw.choice(("dosa", "timeloop", "scalesim"))
            reference = self.registry.find("references", kind).make()
            self.tried(lambda: reference.read(path), content)
        elif self.draw.random() < 0.1:
            words = self.draw.choice((["show", "workload"], ["evaluate"], ["report", "--store"]))
            self.tried(lambda: self.commanded(*words, str(path)), content)

    def built(self, text: str) -> object:
        """Build the baseline of a machine."""
        model = make_hardware(text, self.registry)
        return model.build(model.baseline)

    def networks(self, text: str) -> object:
        """Return the first network of a space."""
        space = make_networks(text, self.registry)
        return space and space.space.size

    def commanded(self, *words: str) -> object:
        """Return "bug" where a command says that it met one."""
        return "bug" if silently(lambda: command(list(words))) == 70 else "done"

    def option(self) -> None:
        """Try a mutated setting in every place that takes one."""
        content = mutated(self.draw.choice(SETTINGS).encode(), self.draw)
        text = content.decode(errors="surrogateescape")
        ways: list[Callable[[], object]] = [
            lambda: resolve(text, self.registry),
            lambda: make_hardware(text, self.registry),
            lambda: make_strategy(text, self.registry),
            lambda: make_mapper(text, self.registry),
            lambda: make_networks(text, self.registry),
            lambda: Constraint.parse(text, self.registry.objectives),
        ]
        for way in ways:
            self.tried(way, content)
        if self.draw.random() < 0.02:
            flags = (
                "--set",
                "--constraint",
                "-o",
                "--scheme",
                "--executor",
                "-s",
                "-m",
                "--trials",
            )
            flag = self.draw.choice(flags)
            words = ["run", "gemm:M=2,N=2,K=2", "-H", "systolic", flag, text, "--seconds", "0"]
            words += ["--store", str(self.folder / "options.db")]
            self.tried(lambda: self.commanded(*words), content)

    def store(self, content: bytes) -> None:
        """Read a damaged store."""
        path = self.folder / "damaged.db"
        path.write_bytes(content)

        def read() -> None:
            with Store(path, write=False) as store:
                for name in store.names():
                    store.trials(name), store.pruned(name), store.spent(name)

        self.tried(read, content)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb((error.__cause__ or error).__traceback__)
    return f"at {frames[-1].filename}:{frames[-1].lineno}" if frames else "at nowhere"


def _too_slow(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's own
    raise RuntimeError("too slow")


def fuzz(count: int, seed: int, folder: Path, keep: Path | None = None) -> Fuzzer:
    """Try so many inputs, each in several ways."""
    before = signal.signal(signal.SIGALRM, _too_slow)
    fuzzer = Fuzzer(random.Random(seed), folder, keep)
    draw, found, stored = fuzzer.draw, examples(), a_store(folder)
    suffixes = (".yaml", ".csv", ".onnx", ".json", ".m", ".pt2", ".txt", ".cfg", ".j2")
    for _ in range(count):
        which = draw.random()
        if which < 0.4:
            fuzzer.option()
        elif which < 0.43:
            fuzzer.store(mutated(stored, draw))
        else:
            suffix, content = draw.choice(found)
            kind = suffix if draw.random() < 0.9 else draw.choice(suffixes)
            fuzzer.file(kind, mutated(content, draw))
    signal.signal(signal.SIGALRM, before)
    return fuzzer


def main() -> None:
    """Fuzz, and say what came of it."""
    parser = argparse.ArgumentParser(description="Mutated files and options")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = fuzz(options.count, options.seed, Path(folder), options.keep)
    print(
        f"{options.count} inputs from {len(examples())} examples: {dict(fuzzer.outcomes)}, "
        f"{len(fuzzer.leaks)} kinds of leaks"
    )


if __name__ == "__main__":
    main()
