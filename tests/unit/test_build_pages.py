"""The extension that makes pages of the notebooks: weights, equations, references, badges."""

import io
import sys
from pathlib import Path

import pytest
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import book_notebooks  # noqa: E402
import book_references as references  # noqa: E402
import book_widgets as widgets  # noqa: E402

ELEMENT = '<latent-explorer data-weights="lw-0a1b"><img alt="A map"></latent-explorer>'
WEIGHTS = '<script type="text/plain" id="lw-0a1b">TERCMQ==</script>'


def test_weights_leave_the_page_and_are_kept_once():
    body = f"<p>One</p>{ELEMENT}{WEIGHTS}<p>Two</p>{ELEMENT}{WEIGHTS}"
    rest, found = widgets.extract_weights(body)
    assert rest == f"<p>One</p>{ELEMENT}<p>Two</p>{ELEMENT}"
    assert found == {"lw-0a1b": "TERCMQ=="}


def test_other_scripts_stay():
    body = '<script>let a = 1;</script><script type="text/plain" id="note">lw-1</script>'
    assert widgets.extract_weights(body) == (body, {})


def test_elements_learn_where_their_weights_are():
    pointed = widgets.point_to_weights(ELEMENT, lambda name: f"../{widgets.weights_path(name)}")
    assert 'data-weights="lw-0a1b" data-weights-src="../_static/weights/0a1b.js"' in pointed
    assert widgets.point_to_weights("<p>none</p>", str) == "<p>none</p>"


def test_the_script_of_the_weights_can_be_loaded_twice_and_with_others():
    script = widgets.weights_script("lw-0a1b", "TERCMQ==")
    assert script == (
        'globalThis.__vaeWeights=globalThis.__vaeWeights||{};__vaeWeights["lw-0a1b"]="TERCMQ==";\n'
    )


def test_references_are_found_in_every_spelling():
    pieces = references.split_mentions(
        "By Eq. (5.3), Figure 5.2 and Exercise\u00a05.10 (not Eq. 5.3)."
    )
    assert [(piece.text, piece.target) for piece in pieces] == [
        ("By ", None),
        ("Eq. (5.3)", ("eq", "5.3")),
        (", ", None),
        ("Figure 5.2", ("figure", "5.2")),
        (" and ", None),
        ("Exercise\u00a05.10", ("exercise", "5.10")),
        (" (not Eq. 5.3).", None),
    ]


def test_references_resolve_across_pages_and_the_missing_are_named():
    anchors = {("eq", "4.1"): "notebooks/04_elbo"}
    out, missing = references.resolve(
        "Eq. (4.1) and Figure 4.9.", anchors, lambda page: f"{page}.html"
    )
    assert [node.astext() for node in out] == ["Eq. (4.1)", " and ", "Figure 4.9", "."]
    assert out[0]["refuri"] == "notebooks/04_elbo.html#eq-4-1"
    assert isinstance(out[2], nodes.Text)
    assert missing == ["Figure 4.9"]


PAGES = {
    "index": r"""
# Book

```{toctree}
four
five
```
""",
    "four": r"""
# Four

$$
\begin{aligned}
a &= b \\
  &= c
\end{aligned}
\tag{4.1}
$$

Without a number:

$$
a = b \\ c = d
$$

**Figure 4.1.** A caption that says Figure 4.1 and Eq. (4.1).
""",
    "five": r"""
# Five

As Eq. (4.1), Figure 4.1 and Exercise 5.1 say, but not `Eq. (4.1)`, nor [Eq. (4.1)](four.md).

## Exercise 5.1 Try it

<details>
<summary>Solution</summary>

It follows from Eq. (4.1), but Eq. (7.7) is not there.

</details>
""",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(pages as html, warnings) of a small site made with the book's references."""
    folder = tmp_path_factory.mktemp("site")
    for name, text in PAGES.items():
        (folder / f"{name}.md").write_text(text)
    config = {
        "extensions": ["myst_parser", "sphinx.ext.mathjax", "book_references"],
        "myst_enable_extensions": ["dollarmath"],
    }
    warnings = io.StringIO()
    with docutils_namespace():
        app = Sphinx(folder, None, folder / "out", folder / "trees", "html", config, None, warnings)
        app.build()
    return {name: (folder / "out" / f"{name}.html").read_text() for name in PAGES}, (
        warnings.getvalue()
    )


def test_tagged_equations_are_not_wrapped(built):
    page = built[0]["four"]
    equation = page[page.index('id="eq-4-1"') :].partition("</div>")[0]
    assert "\\[\\begin{aligned}" in equation
    assert "\\tag{4.1}\\]" in equation
    assert "split" not in equation
    assert "\\begin{split}\na = b" in page, "an equation without a tag is Sphinx's own business"


def test_the_words_become_links(built):
    five = built[0]["five"]
    for address in ("four.html#eq-4-1", "four.html#figure-4-1", "#exercise-5-1"):
        assert f'href="{address}"' in five
    assert five.count('href="four.html#eq-4-1"') == 2, "in the text and in the solution only"
    assert 'id="exercise-5-1"' in five


def test_a_caption_does_not_link_its_own_name(built):
    four = built[0]["four"]
    assert "<strong>Figure 4.1.</strong>" in four
    assert four.count('href="#figure-4-1"') == 1
    assert 'id="figure-4-1"' in four


def test_what_leads_nowhere_is_a_warning(built):
    assert "Eq. (7.7) leads nowhere" in built[1]
    assert built[1].count("leads nowhere") == 1


def badge(*urls) -> nodes.paragraph:
    return nodes.paragraph("", "", *[nodes.reference("", "link", refuri=url) for url in urls])


def test_the_site_keeps_the_stamped_address_of_colab():
    url = "https://colab.research.google.com/github/o/n/blob/main/notebooks/05_vae.ipynb"
    assert book_notebooks.colab_url(badge(url, "https://github.com/o/n/raw/main/a.ipynb")) == url
    assert book_notebooks.colab_url(badge("https://colab.research.google.com/#create=false")) == ""
    assert book_notebooks.colab_url(None) == ""


@pytest.mark.parametrize(
    ("colab", "words"), [("https://colab/x", "Open in Colab"), ("", "Upload notebook")]
)
def test_there_is_no_dead_badge(colab, words):
    line = book_notebooks.chapter_line("../_sources/notebooks/05_vae.ipynb", colab)
    assert words in line.astext()
    assert "download>Download this notebook</a>" in line.astext()
    assert not [link for link in line.findall(nodes.reference) if not link["refuri"]]
