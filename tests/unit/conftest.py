import nbformat
import pytest
import torch
from nbclient import NotebookClient

from vaeutil.data import Images, Provenance, Split


def split(n: int, seed: int = 0) -> Split:
    """Blobs of light: cheap images with structure, so that a model has something to learn."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (n,), generator=generator)
    grid = torch.arange(28.0)
    centre = 6 + 16 * torch.rand(n, 2, generator=generator)
    rows = (grid - centre[:, :1]).square()[:, :, None]
    columns = (grid - centre[:, 1:]).square()[:, None, :]
    light = (-(rows + columns) / (2 * (2 + labels[:, None, None] / 3) ** 2)).exp()
    return Split((255 * light).round().to(torch.uint8), labels)


@pytest.fixture(scope="session")
def blobs() -> Images:
    """600 training, 100 validation and 200 test images, made on the spot."""
    return Images("blobs", split(600, 0), split(100, 1), split(200, 2), Provenance("test", {}, ""))


@pytest.fixture(scope="session")
def run_cell():
    """run(source) → the outputs of a notebook's cell, all cells in one kernel."""
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(notebook, kernel_name="python3")

    def run(source: str) -> list:
        notebook.cells.append(nbformat.v4.new_code_cell(source))
        return client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1).outputs

    with client.setup_kernel():
        yield run
