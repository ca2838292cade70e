"""A small notebook that keeps every rule, for tests to break one at a time."""

from __future__ import annotations

import nbformat
import stamp
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from strip import stripped

NAME = "05_sample.ipynb"

OPENING = """\
# A sample

**The question.** Is a half more than a quarter?

You will be able to halve a number. You need fractions. Two minutes.
"""

THEORY = r"""
## Halves

Half of $x$ is half, and $\mathbb{E}_{q_\phi}\!\left[x \mid z\right]$ is not:

$$
\begin{aligned}
h(x) &= \tfrac{1}{2} x \\
     &= x - h(x)
\end{aligned} \tag{5.1}
$$

By Eq. (5.1) and Figure 5.1 this is so ([Kingma and Welling, 2013](https://arxiv.org/abs/1312.6114)).

| what | how much |
|---|---|
| $h(1)$ | $p(x \mid z)$ |
"""

PICTURE = """\
# @title A line
figure, axes = figures.new(1, 1, alt="a line through the origin with slope one half")
axes.plot([0, 1], [0, 0.5])
"""

TASK = """\
### Exercise 5.{n} · Number {n}

Halve {n}.

<details>
<summary>Solution</summary>

By Eq. (5.1):

```python
half_{n} = {n} / 2
```

</details>
"""

CHECK = """\
if half_{n} is ...:
    print("Not solved yet: put a number in place of the dots.")
else:
    agree("half of {n}", half_{n}, 0.5 * {n}, atol=1e-12)
    print("Solved: {n} halved.")
"""


def exercise(n: int) -> list[nbformat.NotebookNode]:
    return [
        new_markdown_cell(TASK.format(n=n)),
        new_code_cell(f"half_{n} = ...", metadata={"tags": [f"answer-5.{n}"]}),
        new_code_cell(CHECK.format(n=n), metadata={"tags": [f"check-5.{n}"]}),
    ]


def notebook() -> nbformat.NotebookNode:
    """The sample, in its normal form, without an address."""
    cells = [
        new_markdown_cell(stamp.badges(None, f"notebooks/{NAME}"), metadata={"tags": ["badges"]}),
        new_markdown_cell(OPENING),
        new_code_cell(stamp.setup(None), metadata={"tags": ["setup", "hide-input"]}),
        new_code_cell("half = 0.5"),
        new_markdown_cell(THEORY),
        *[new_code_cell(f'agree("half of {n}", half * {n}, {n} / 2, atol=0)') for n in range(3)],
        new_code_cell(PICTURE, metadata={"tags": ["hide-input"]}),
        new_markdown_cell("**Figure 5.1.** A line."),
        new_markdown_cell("## What goes wrong\n\nNothing: it costs \\$5."),
        new_markdown_cell("## Exercises"),
        *[cell for n in range(1, 6) for cell in exercise(n)],
        new_markdown_cell("## The question answered\n\nYes, as Exercise 5.1 shows."),
        new_markdown_cell("## References\n\n- None."),
    ]
    return stripped(new_notebook(cells=cells))


def find(book: nbformat.NotebookNode, text: str) -> nbformat.NotebookNode:
    """The first cell that holds this text."""
    return next(cell for cell in book.cells if text in cell.source)
