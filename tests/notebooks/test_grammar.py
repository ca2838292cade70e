import json
import re

import chapters
import grammar
import nbformat
import pytest
import sample


def problems(tmp_path, *books):
    """The lint's findings in notebooks written into a folder of their own."""
    paths = [tmp_path / name for name in (sample.NAME, "06_other.ipynb")[: len(books)]]
    for path, book in zip(paths, books, strict=True):
        path.write_text(json.dumps(book), encoding="utf-8")  # nbformat would mend what is broken
    return grammar.problems(paths)


def replace(old, new):
    """Break a notebook by putting one text in place of another."""

    def change(book):
        cell = sample.find(book, old)
        cell.source = cell.source.replace(old, new)

    return change


def add(text):
    """Break a notebook by more Markdown in the middle of its theory."""
    return replace("## What goes wrong", f"{text}\n\n## What goes wrong")


def code(text):
    """Break a notebook by a code cell in the middle of its theory."""

    def change(book):
        book.cells.insert(6, nbformat.v4.new_code_cell(text))

    return change


def metadata(key, value):
    def change(book):
        book.metadata[key] = value

    return change


def first_code(**values):
    def change(book):
        sample.find(book, "half = 0.5").update(values)

    return change


def move(text, place):
    """Break the order: take a cell to another place."""

    def change(book):
        cell = sample.find(book, text)
        book.cells.remove(cell)
        book.cells.insert(place, cell)

    return change


def drop(text):
    def change(book):
        book.cells.remove(sample.find(book, text))

    return change


def fold(key):
    """Take one of the three marks of a folded cell away."""

    def change(book):
        del sample.find(book, "# @title A line").metadata[key]

    return change


def twice(book):
    book.cells[3].id = book.cells[4].id


def attach(book):
    book.cells[1].attachments = {"a.png": {"image/png": "aGVsbG8="}}


BROKEN = {
    # No MyST, no bibliography.
    "role": (add("See {ref}`here`."), "a role"),
    "directive": (add("```{note}\nHere.\n```"), "a directive"),
    "colons": (add(":::note\nHere.\n:::"), "a fence of colons"),
    "label": (add("(here)="), "a label"),
    "substitution": (add("It is {{ here }}."), "a substitution"),
    "block break": (add("+++"), "a block break"),
    "key": (add("As in [@kingma2013]."), "key of a bibliography"),
    "key in words": (add("As @kingma2013 say."), "key of a bibliography"),
    "cite": (add(r"As in \cite{kingma}."), "key of a bibliography"),
    # Equations.
    "mid-paragraph": (add(r"Thus $$a = b \tag{5.2}$$ holds."), "between blank lines"),
    "text before": (add("Thus\n$$\na = b \\tag{5.2}\n$$"), "between blank lines"),
    "two in one": (add(r"$$a \tag{5.2}$$ $$b \tag{5.3}$$"), "between blank lines"),
    "blank inside": (add("$$\na\n\n= b\n$$"), "blank line inside an equation"),
    "lines": (add(r"$$a \\ b$$"), "need aligned"),
    "align": (add("\\begin{align}\na &= b\n\\end{align}"), "align is numbered by the site"),
    "align in dollars": (add(r"$$\begin{align}a\end{align}$$"), "align is numbered by the site"),
    "two tags": (add(r"$$a \tag{5.2} \tag{5.3}$$"), "one tag for one equation"),
    "tag twice": (add(r"$$a \tag{5.1}$$"), "Eq. 5.1 is given 2 times"),
    "tag of another": (add(r"$$a \tag{4.1}$$"), "Eq. 4.1 is not of this chapter"),
    "newcommand": (add(r"$\newcommand{\x}{y} z$"), "defines a macro"),
    "def": (add(r"$\def\x{y} z$"), "defines a macro"),
    "macro": (add(r"It is $\KL(q)$."), r"\KL is not a command"),
    "macro displayed": (add(r"$$\argmin x$$"), r"\argmin is not a command"),
    # References and links.
    "equation": (add("By Eq. (5.9)."), "'Eq. (5.9)' does not exist"),
    "equation in code": (code("x = 1  # Eq. (5.9)"), "'Eq. (5.9)' does not exist"),
    "figure": (add("In Figure 5.9."), "'Figure 5.9' does not exist"),
    "exercise": (add("In Exercise 5.9."), "'Exercise 5.9' does not exist"),
    "equations": (add("By Eqs. (5.1)."), "write Eq. (5.3)"),
    "Equation": (add("By Equation 5.1."), "write Eq. (5.3)"),
    "Fig.": (add("In Fig. 5.1."), "write Eq. (5.3)"),
    "exercises": (add("In exercises 5.1."), "write Eq. (5.3)"),
    "figure twice": (add("**Figure 5.1.** Again."), "Figure 5.1 is given 2 times"),
    "file": (add("In [chapter 4](04_elbo.ipynb)."), "'04_elbo.ipynb' does not exist"),
    "fragment": (add(f"Look [back]({sample.NAME}#halves)."), "link to a heading"),
    "own heading": (add("Look [back](#halves)."), "link to a heading"),
    "wrong chapter": (add(f"In [chapter 4]({sample.NAME})."), "[chapter 4] is not"),
    # Markdown that turns into something else.
    "dollars": (add("From $5 and $6."), "begins or ends with a space"),
    "dollar": (add("It costs $5."), "a $ without its partner"),
    "table": (add("| a | $p(x|z)$ |\n|---|---|"), "| in the maths of a table"),
    "norm in a table": (add("| a | $\\|x\\|$ |\n|---|---|"), "| in the maths of a table"),
    "picture": (add("![a picture](picture.png)"), "a linked picture"),
    "picture of another host": (add("![a](https://example.org/a.png)"), "a linked picture"),
    "picture in HTML": (add('<img src="a.png">'), "a linked picture"),
    "attachment": (attach, "an attached picture"),
    "title": (add("# Again"), "a second title"),
    "level": (add("#### Deep"), "leaves out a level"),
    "summary": (replace("</summary>\n\nBy", "</summary>\nBy"), "after </summary>"),
    "before end": (replace("```\n\n</details>", "```\n</details>"), "between blank lines"),
    "before details": (replace("Halve 1.\n\n", "Halve 1.\n"), "before <details>"),
    "no summary": (replace("<summary>Solution</summary>\n", ""), "begins with its <summary>"),
    "no end": (replace("</details>", ""), "do not match"),
    # Form.
    "outputs": (
        first_code(outputs=[nbformat.v4.new_output("stream", text="1")]),
        "outputs or an execution count",
    ),
    "count": (first_code(execution_count=3), "outputs or an execution count"),
    "no id": (lambda book: book.cells[3].pop("id"), "a cell without an id of its own: None"),
    "invalid": (lambda book: book.cells[3].update(cell_type="prose"), "not a valid notebook"),
    "id": (twice, "a cell without an id of its own"),
    "kernel": (metadata("kernelspec", {"name": "py", "display_name": "x"}), "'kernelspec' must"),
    "accelerator": (metadata("accelerator", "TPU"), "'accelerator' must"),
    "colab": (metadata("colab", {}), "'colab' must"),
    "long": (code("x = 1\n" * 31), "31 lines of code"),
    "median": (
        lambda book: [code("x = 1\n" * 9)(book) for _ in range(20)],
        "the median code cell has 9 lines",
    ),
    "empty": (code(""), "an empty cell"),
    "tag alone": (fold("cellView"), "folded in one place only"),
    "tag and form": (fold("jupyter"), "folded in one place only"),
    "no tag": (fold("tags"), "folded in one place only"),
    "no @title": (replace("# @title A line\n", ""), "begins with `# @title"),
    "open picture": (code("figure, axes = figures.new(1, 1)"), "draws by hand"),
    "open plot": (code("import matplotlib.pyplot as plt\nplt.plot([1])"), "draws by hand"),
    # Order.
    "badges": (move("To run this chapter", 1), "tagged badges"),
    "no title": (replace("# A sample", "A sample"), "begins with the title"),
    "no minutes": (replace("Two minutes.", ""), "says nothing of 'minutes'"),
    "no aim": (replace("You will be able to halve", "Halve"), "says nothing of 'able to'"),
    "setup": (move("half = 0.5", 1), "tagged setup"),
    "nothing to drag": (
        lambda book: [
            drop("half = 0.5")(book),
            add("## A\n\n## B")(book),
            book.cells.insert(3, nbformat.v4.new_markdown_cell("## One\n\n## Two")),
        ],
        "something to drag",
    ),
    "sections": (move("## References", 10), "the last sections"),
    "no answer": (drop("## The question answered"), "the last sections"),
    "agree": (drop("half * 1"), "agree( is called 2 times"),
    # Exercises.
    "few": (
        lambda book: [drop(text)(book) for text in ("5.5 ·", "half_5 = ...", "half_5 is")],
        "4 exercises, under 5",
    ),
    "numbers": (replace("5.5 ·", "5.7 ·"), "exercises are numbered"),
    "heading": (replace("Exercise 5.5 ·", "Exercise 5.5:"), "an exercise's heading is"),
    "no fence": (replace("```python\nhalf_1", "```\nhalf_1"), "with one ```python fence"),
    "two fences": (replace("Halve 1.", "```python\n1\n```"), "with one ```python fence"),
    "no cell": (drop("half_1 = ..."), "answer-5.1 is not in its place"),
    "no check": (drop("if half_1"), "check-5.1 is not in its place"),
    "given away": (replace("half_1 = ...", "half_1 = 0.5"), "leaves `...`"),
    "dots of an index": (replace("half_1 = ...", "half_1 = x[..., 0]"), "leaves `...`"),
    "silent": (replace('print("Solved: 1', '("Solved: 1'), 'begins "Solved:"'),
    "silent, unsolved": (replace('"Not solved yet:', '"Not yet:'), 'begins "Not solved yet:"'),
    "stray": (
        lambda book: sample.find(book, "half = 0.5").metadata.update(tags=["answer-5.9"]),
        "answer-5.9 belongs to no exercise",
    ),
}


def test_the_sample_keeps_every_rule(tmp_path):
    assert problems(tmp_path, sample.notebook()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found(name, tmp_path):
    change, message = BROKEN[name]
    book = sample.notebook()
    change(book)
    found = problems(tmp_path, book)
    assert any(message in problem for problem in found), found
    assert all(re.match(r"05_sample\.ipynb:\d+: ", problem) for problem in found)


@pytest.mark.parametrize(
    "text",
    [
        "In code, `$HOME` and `{ref}` and `[@key]` are only text.",
        "```bash\ncost=$5\n```",
        "Both $a|b$ and\n$c$ are maths, and \\$5 is money.",
        "$$\\begin{cases} a \\\\ b \\end{cases}$$",
        "$$\n\\begin{aligned} a &= b \\\\ &= c \\end{aligned}\n$$",
        "[A page](https://example.org/a#b), [mail](mailto:someone@example.org).",
        "| a | b |\n|---|---|\n| $x$ | $y$ |",
    ],
)
def test_what_is_right_is_left_alone(text, tmp_path):
    book = sample.notebook()
    add(text)(book)
    assert problems(tmp_path, book) == []


def test_tags_are_unique_across_chapters(tmp_path):
    found = problems(tmp_path, sample.notebook(), sample.notebook())
    assert "05_sample.ipynb:4: Eq. 5.1 is given 2 times" in found
    assert "06_other.ipynb:4: Eq. 5.1 is given 2 times" in found


def test_a_chapter_may_refer_to_another(tmp_path):
    other = sample.notebook()
    for cell in other.cells:
        cell.source = re.sub(r"\b5\.(?=\d)", "6.", cell.source)
        cell.metadata.tags = [tag.replace("-5.", "-6.") for tag in chapters.tags(cell)]
    add(f"Eq. (5.1), Figure 5.1, Exercise 5.5 of [chapter 5]({sample.NAME}).")(other)
    assert problems(tmp_path, sample.notebook(), other) == []


def test_a_prose_page_may_use_myst_but_its_references_resolve(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("{ref}`here`\n\nEq. (5.1), Eq. (5.8)\n", encoding="utf-8")
    path = tmp_path / sample.NAME
    path.write_text(chapters.text(sample.notebook()), encoding="utf-8")
    assert grammar.problems([path], [page]) == ["page.md:3: 'Eq. (5.8)' does not exist"]


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    path = tmp_path / sample.NAME
    book = sample.notebook()
    path.write_text(chapters.text(book), encoding="utf-8")
    assert grammar.main([str(path)]) == 0
    add("$5")(book)
    path.write_text(chapters.text(book), encoding="utf-8")
    assert grammar.main([str(path)]) == 1
    assert "05_sample.ipynb:10: a $ without its partner" in capsys.readouterr().out


def test_the_book():
    found = grammar.problems(chapters.paths(), chapters.pages())
    assert not found, "\n" + "\n".join(found)
