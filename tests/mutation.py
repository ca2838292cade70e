"""Mutants of a module: its source with one place changed, as mutmut changes it.

mutmut says what may become of a place. Decorated functions and the constants of a module, which
its own run leaves out, are in; annotations, decorators, documentation and the words of errors are
not.
"""

import ast
import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

ROOT = Path(__file__).resolve().parents[1]
UNTOUCHED = ("len", "isinstance")  # as in mutmut: without their arguments all code fails


@dataclass(frozen=True)
class Mutant:
    """One change of a file: where, and the code before and after."""

    name: str  # stays while the change and its function do, wherever they move
    file: str  # relative to the root
    line: int
    function: range  # the lines of the outermost function around it; of one line outside of any
    old: str
    new: str
    place: tuple[int, int]  # of the code before, in the source: its first character, and past it

    def __str__(self) -> str:
        return f"{self.name} {self.file}:{self.line}: {self.old} → {self.new}"

    def source(self) -> str:
        """The whole module, changed."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        start, end = self.place
        return text[:start] + self.new + text[end:]

    def is_another_program(self) -> bool:
        """Whether the change compiles, and to something else."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        try:
            return ast.dump(ast.parse(self.source())) != ast.dump(ast.parse(text))
        except SyntaxError:
            return False


class Places(cst.CSTVisitor):
    """Collects (node, changed node, functions and classes around it) of all that may change."""

    def __init__(self):
        self.found, self.around, self.raising = [], [], 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Note what may become of the node; whether to look into it."""
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
            return False
        called = node.func if isinstance(node, cst.Call) else None
        if isinstance(called, cst.Name) and called.value in UNTOUCHED:
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.around.append(node)
        self.raising += isinstance(node, cst.Raise)
        for kind, operator in mutation_operators:
            if isinstance(node, kind) and not (self.raising and operator is operator_string):
                self.found += [(node, changed, tuple(self.around)) for changed in operator(node)]
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        """Out of a function, a class or a raise again."""
        if self.around and node is self.around[-1]:
            self.around.pop()
        self.raising -= isinstance(node, cst.Raise)


def mutants(path: Path) -> list[Mutant]:
    """All that may become of a file."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")), True)
    module, places = wrapper.module, Places()
    module.visit(places)
    lines = wrapper.resolve(PositionProvider)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    code, file = module.bytes, path.relative_to(ROOT).as_posix()
    found, same = [], Counter()
    for node, changed, around in places.found:
        span = spans[node]
        start, end = (len(code[:at].decode()) for at in (span.start, span.start + span.length))
        # Parentheses around an expression are part of it here, and not of its span.
        if hasattr(changed, "lpar") and getattr(node, "lpar", ()):
            changed = changed.with_changes(lpar=(), rpar=())
        old, new = code.decode()[start:end], module.code_for_node(changed)
        key = f"{file} {'.'.join(part.name.value for part in around)}: {old} → {new}"
        same[key] += 1
        name = hashlib.sha256(f"{key} {same[key]}".encode()).hexdigest()[:8]
        line = lines[node].start.line
        outer = next((part for part in around if isinstance(part, cst.FunctionDef)), None)
        top = lines[outer] if outer else None
        function = range(top.start.line, top.end.line + 1) if top else range(line, line + 1)
        found.append(Mutant(name, file, line, function, old, new, (start, end)))
    return found


def sample(paths: list[Path], count: int) -> list[Mutant]:
    """`count` mutants drawn without regard to what they are: those of the smallest names.

    A name is a hash, so the draw is random and yet always the same, and stays what it is when
    other code changes. In the order of files and lines.
    """
    everything = (mutant for path in paths for mutant in mutants(path))
    ordered = sorted(everything, key=lambda mutant: mutant.name)
    drawn = islice((mutant for mutant in ordered if mutant.is_another_program()), count)
    return sorted(drawn, key=lambda mutant: (mutant.file, mutant.line, mutant.name))
