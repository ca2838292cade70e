"""Tables, read back by the standard library's parser."""

from html.parser import HTMLParser

import pytest

from vaeutil.tables import table


class Reader(HTMLParser):
    """Collects the rows of a table as (tag, text) of each cell."""

    def __init__(self):
        super().__init__()
        self.rows, self.tag = [], None

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.tag = tag
            self.rows[-1].append((tag, ""))

    def handle_endtag(self, tag):
        if tag == self.tag:
            self.tag = None

    def handle_data(self, data):
        if self.tag:
            tag, text = self.rows[-1][-1]
            self.rows[-1][-1] = (tag, text + data)


def read(html):
    reader = Reader()
    reader.feed(html.data)
    return reader.rows


def test_cells_are_where_they_belong_and_stay_text():
    rows = read(table(["p(x) < 1", "n"], [["a & b", 3], ("<b>", 0.5)]))
    assert rows == [
        [("th", "p(x) < 1"), ("th", "n")],
        [("td", "a & b"), ("td", "3")],
        [("td", "<b>"), ("td", "0.5")],
    ]


def test_rows_may_come_from_a_generator():
    assert len(read(table(("n",), ((n,) for n in range(3))))) == 4


@pytest.mark.parametrize("head", [[], ["", "n"], [" "]])
def test_columns_without_names(head):
    with pytest.raises(ValueError, match="needs a name"):
        table(head, [])


def test_rows_of_another_length():
    with pytest.raises(ValueError, match="3 cells, for 2 columns"):
        table(["a", "b"], [[1, 2], [1, 2, 3]])
