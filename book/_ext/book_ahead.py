"""Executes the notebooks that are not in the cache side by side, before Sphinx reads them.

Sphinx reads one page after the other, and executes each notebook as it comes to it. A notebook of
small networks keeps one core busy, hardly two: side by side they take little more than half the
time on two cores. One that fails is left out of the cache, for Sphinx to execute and report.
"""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
MOST = 8  # kernels at once; each holds about a gigabyte


def absent(cache, paths: list[Path]) -> dict[Path, nbformat.NotebookNode]:
    """The notebooks whose code is not in the cache."""
    found = {}
    for path in paths:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            found[path] = notebook
    return found


def execute_ahead(app) -> None:
    """Fill the cache (builder-inited)."""
    cache = get_cache(app.config.nb_execution_cache_path)
    files = [Path(app.srcdir, f"{page}.ipynb") for page in sorted(app.config.external_site_map)]
    todo = absent(cache, [file for file in files if file.is_file()])
    if len(todo) < 2:
        return
    cores = os.cpu_count() or 1
    workers = min(len(todo), cores, MOST)
    given = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = given or str(max(1, cores // workers))
    try:
        with ThreadPoolExecutor(workers) as pool:
            runs = {
                pool.submit(
                    single_nb_execution,
                    notebook,
                    cwd=str(path.parent),
                    timeout=app.config.nb_execution_timeout,
                    allow_errors=False,
                ): path
                for path, notebook in todo.items()
            }
            for run in as_completed(runs):
                keep(cache, runs[run], run.result())
    finally:
        if given is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = given


def keep(cache, path: Path, result) -> None:
    """Put an executed notebook into the cache, or say that it failed."""
    if result.err is not None:
        LOGGER.info("%s failed, and is executed again where its page is read.", path.name)
        return
    bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    LOGGER.info("%s executed in %.0f s.", path.name, result.time)


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("builder-inited", execute_ahead)
    return {"version": "1"}
