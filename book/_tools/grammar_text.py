"""Rules for the Markdown of a notebook: no MyST, maths that every renderer reads, plain HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from chapters import markdown, prose
from nbformat import NotebookNode

Problems = Iterator[tuple[int, str]]

MYST = {
    r"\{[\w:.+-]+\}`": "a role",
    r"^\s*:{3,}": "a fence of colons",
    r"^\([\w:.-]+\)=": "a label",
    r"\{\{.*?\}\}": "a substitution",
    r"^\+\+\+": "a block break",
    r"^%\s": "a comment",
}
DIRECTIVE = r"^\s*(?:`{3,}|~{3,})\s*\{"
ENVIRONMENTS = r"\\begin\{((?:align|alignat|eqnarray|equation|flalign|gather|multline|split)\*?)\}"
MACROS = r"\\(?:newcommand|renewcommand|providecommand|def|gdef|let|DeclareMathOperator|require)\b"
# Standard commands that every renderer knows without a package; anything else is taken for a macro
# of somebody's own. A standard command that is missing in the file may be added to it.
COMMANDS = set((Path(__file__).parent / "commands.txt").read_text(encoding="utf-8").split())


def display(text: str) -> list[str]:
    """The contents of the `$$ … $$` of a text."""
    return re.findall(r"(?<!\\)\$\$(.+?)(?<!\\)\$\$", text, re.DOTALL)


def inline(text: str) -> list[str]:
    """The contents of the `$ … $` of a text, paragraph by paragraph; display maths left out."""
    text = re.sub(r"(?<!\\)\$\$(.+?)(?<!\\)\$\$", " ", text, flags=re.DOTALL)
    return [
        found
        for paragraph in re.split(r"\n\s*\n", text)
        for found in re.findall(r"(?<!\\)\$(.*?)(?<!\\)\$", paragraph, re.DOTALL)
    ]


def plain(path: Path, notebook: NotebookNode) -> Problems:
    """No MyST, no keys of a bibliography."""
    for place, cell in markdown(notebook):
        if re.search(DIRECTIVE, cell.source, re.MULTILINE):
            yield place, "a directive of MyST: only the site knows it"
        for pattern, name in MYST.items():
            if found := re.search(pattern, prose(cell), re.MULTILINE):
                yield place, f"{name} of MyST, {found[0].strip()!r}: only the site knows it"
        if found := re.search(r"\[@[\w:-]+|(?<![\w@.])@[a-z]+\d{4}\w*|\\cite\w*", prose(cell)):
            yield place, f"{found[0]!r} is a key of a bibliography; write a plain link"


def equations(path: Path, notebook: NotebookNode) -> Problems:
    """Tagged equations alone between blank lines, `aligned` for several lines."""
    alone = re.compile(r"\$\$(?:(?!\$\$).)+\$\$", re.DOTALL)
    for place, cell in markdown(notebook):
        text = prose(cell)
        for paragraph in re.split(r"\n[ \t]*\n", text):
            if paragraph.count("$$") % 2:
                yield place, f"a blank line inside an equation, or half of one: {brief(paragraph)}"
            elif r"\tag" in paragraph and not alone.fullmatch(paragraph.strip()):
                yield place, f"a tagged equation stands between blank lines: {brief(paragraph)}"
        for tex in display(text):
            bare = re.sub(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", tex, flags=re.DOTALL)
            if re.search(r"\\\\(?![a-zA-Z])", bare):
                yield place, f"several lines need aligned inside the $$: {brief(tex)}"
            if tex.count(r"\tag") > 1:
                yield place, f"one tag for one equation: {brief(tex)}"
        if found := re.search(ENVIRONMENTS, text):
            yield place, f"{found[1]} is numbered by the site on its own; use aligned inside $$"


def macros(path: Path, notebook: NotebookNode) -> Problems:
    """No macros: four renderers share no preamble."""
    for place, cell in markdown(notebook):
        text = prose(cell)
        if found := re.search(MACROS, text):
            yield place, f"{found[0]} defines a macro; write it out"
        for tex in display(text) + inline(text):
            for name in sorted(set(re.findall(r"\\([a-zA-Z]+)", tex)) - COMMANDS):
                yield place, f"\\{name} is not a command that every renderer knows: {brief(tex)}"


def dollars(path: Path, notebook: NotebookNode) -> Problems:
    """Every `$` belongs to a formula: `$5 and $6` would become one."""
    for place, cell in markdown(notebook):
        text = re.sub(r"(?<!\\)\$\$(.+?)(?<!\\)\$\$", " ", prose(cell), flags=re.DOTALL)
        for paragraph in re.split(r"\n[ \t]*\n", text):
            if len(re.findall(r"(?<!\\)\$", paragraph)) % 2:
                yield place, rf"a $ without its partner (money is \$5): {brief(paragraph)}"
            for tex in inline(paragraph):
                if tex != tex.strip() or not tex:
                    yield place, rf"${tex}$ begins or ends with a space (money is \$5)"


def tables(path: Path, notebook: NotebookNode) -> Problems:
    """No `|` in the maths of a table: it would end the table's cell."""
    for place, cell in markdown(notebook):
        for line in prose(cell).splitlines():
            if line.lstrip().startswith("|"):
                for tex in inline(line):
                    if "|" in tex:
                        yield place, rf"| in the maths of a table; write \mid or \lvert: ${tex}$"


def details(path: Path, notebook: NotebookNode) -> Problems:
    """Blank lines around the contents of `<details>`, or its Markdown stays as it is typed."""
    for place, cell in markdown(notebook):
        lines = prose(cell).splitlines()
        opened = sum(line.count("<details") for line in lines)
        if opened != sum(line.count("</details>") for line in lines):
            yield place, "<details> and </details> do not match"
        for number, line in enumerate(lines):
            before = lines[number - 1].strip() if number else ""
            after = lines[number + 1].strip() if number + 1 < len(lines) else ""
            if "<details" in line and before:
                yield place, "a blank line belongs before <details>"
            if "<details" in line and "</summary>" not in line and "<summary>" not in after:
                yield place, "<details> begins with its <summary>"
            if "</summary>" in line and after:
                yield place, "a blank line belongs after </summary>"
            if "</details>" in line and (before or after or line.strip() != "</details>"):
                yield place, "</details> stands alone between blank lines"


def pictures(path: Path, notebook: NotebookNode) -> Problems:
    """Pictures are drawn by code: a link breaks away from the clone, or asks another host."""
    for place, cell in markdown(notebook):
        if found := re.search(r"!\[.*?\]\([^)]*\)|<(?:img|picture|video)\b[^>]*", prose(cell)):
            yield place, f"a linked picture, {found[0]!r}: draw it by code"
        if cell.get("attachments"):
            yield place, "an attached picture: draw it by code"


def headings(path: Path, notebook: NotebookNode) -> Problems:
    """One title, and no level left out on the way down."""
    level = 0
    for place, cell in markdown(notebook):
        for marks, title in re.findall(r"^(#{1,6})\s+(.*)$", prose(cell), re.MULTILINE):
            if len(marks) > level + 1:
                yield place, f"heading {title!r} leaves out a level"
            if len(marks) == 1 and level:
                yield place, f"a second title, {title!r}; sections are ## "
            level = len(marks)


def brief(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


RULES = [plain, equations, macros, dollars, tables, details, pictures, headings]
