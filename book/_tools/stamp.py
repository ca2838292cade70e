"""Write the repository's address into the badges and the set-up cell of every notebook.

    python book/_tools/stamp.py            # `make stamp`
    python book/_tools/stamp.py --check    # changes nothing; exit code 1 where something is stale

The address is `repository: url:` in `_config.yml`; where that is not set, the git remote `origin`.
A path, a bare number or a host that only this machine knows by name is no address.
Without one there are no badges: the first cell then says how to take the notebook to Colab, and
the set-up cell says what to do. In README.md the badges stand between `<!-- badges -->` and
`<!-- /badges -->`, where it has these lines.

A clone's remote differs from machine to machine (a mirror, a fork). So where `_config.yml` sets no
address, `--check` asks only that every file be stamped with one and the same address.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import chapters
import yaml

SETUP = (Path(__file__).parent / "setup_cell.py").read_text(encoding="utf-8")
SETUP = SETUP[SETUP.index("\n# @title") :].strip()
NO_ADDRESS = 'repository = ""'
COLAB = "https://colab.research.google.com"
AWAY = (
    "*To run this chapter in Colab: download it from its page in the book, open "
    f"[Colab]({COLAB}), and choose File, Upload notebook.*"
)


def normal(address: str | None) -> str | None:
    """An address as https, without a user's name, a password or `.git`; None if it is none."""
    host = r"(?:[\w-]+\.)+[a-z]{2,}"
    scp = re.fullmatch(rf"(?:[\w.-]+@)?({host}):(?!/)(.+)", address or "")
    parts = urlsplit(f"ssh://{scp[1]}/{scp[2]}" if scp else address or "")
    path = parts.path.strip("/").removesuffix(".git")
    remote = parts.scheme in ("https", "http", "ssh", "git")
    if not (remote and path and re.fullmatch(host, parts.hostname or "")):
        return None
    port = f":{parts.port}" if parts.scheme == "https" and parts.port else ""
    return f"https://{parts.hostname}{port}/{path}"


def configured(root: Path) -> dict[str, str]:
    """The section `repository` of `_config.yml`."""
    config = root / "_config.yml"
    found = yaml.safe_load(config.read_text(encoding="utf-8")) if config.exists() else None
    return (found or {}).get("repository") or {}


def address(root: Path) -> str | None:
    """Where the repository is published, as far as this clone knows."""
    if url := configured(root).get("url"):
        if not normal(url):
            raise ValueError(f"_config.yml: repository: url: {url!r} is no address, https://…")
        return normal(url)
    remote = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    return normal(subprocess.run(remote, capture_output=True, text=True).stdout.strip())


def setup(url: str | None) -> str:
    """The set-up cell with this address."""
    return SETUP.replace(NO_ADDRESS, f'repository = "{url or ""}"')


def badges(url: str | None, path: str, branch: str = "main") -> str:
    """The badges of a notebook, as Markdown that all renderers know; only GitHub opens in Colab."""
    if not url:
        return AWAY
    download = f"[Download this notebook]({url}/raw/{branch}/{path})"
    if not url.startswith("https://github.com/"):
        return f"{download}. {AWAY}"
    name = url.removeprefix("https://github.com/")
    return f"[Open in Colab]({COLAB}/github/{name}/blob/{branch}/{path}) · {download}"


def readme_badges(url: str | None, branch: str, paths: list[str]) -> str:
    """The badges of README.md: a line for each notebook; nothing without an address."""
    lines = [f"- `{path}`: {badges(url, path, branch)}" for path in paths] if url else []
    return "\n".join(["<!-- badges -->", *lines, "<!-- /badges -->"])


def stamped(root: Path, url: str | None) -> dict[Path, str]:
    """What each file with the address should hold, by path."""
    branch = configured(root).get("branch", "main")
    files = {}
    for path in chapters.paths(root):
        notebook, name = chapters.read(path), path.relative_to(root).as_posix()
        for tag, source in {"setup": setup(url), "badges": badges(url, name, branch)}.items():
            for place in chapters.tagged(notebook, tag):
                notebook.cells[place].source = source
        files[path] = chapters.text(notebook)
    readme = root / "README.md"
    if readme.exists():
        names = [path.relative_to(root).as_posix() for path in files]
        new, old = readme_badges(url, branch, names), readme.read_text(encoding="utf-8")
        block = re.compile(r"<!-- badges -->.*?<!-- /badges -->", re.DOTALL)
        files[readme] = block.sub(lambda _: new, old)
    return files


def stale(root: Path, url: str | None) -> list[Path]:
    """The files that are not stamped with this address."""
    files = stamped(root, url)
    return [path for path in files if path.read_text(encoding="utf-8") != files[path]]


def standing(root: Path) -> str | None:
    """The address that the first set-up cell holds."""
    for path in chapters.paths(root):
        notebook = chapters.read(path)
        for place in chapters.tagged(notebook, "setup"):
            found = re.search(r'repository = "(.*)"', notebook.cells[place].source)
            return found[1] or None if found else None
    return None


def check(root: Path) -> list[str]:
    """What is not as `make stamp` leaves it: `file: message`."""
    url = address(root) if configured(root).get("url") else standing(root)
    return [
        f"{path.relative_to(root)}: not stamped with {url or 'no address'}; run `make stamp`"
        for path in stale(root, url)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Stamp, or check, the repository that this file is in."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, report what is stale")
    root = chapters.ROOT
    if parser.parse_args(arguments).check:
        problems = check(root)
        print("\n".join(problems) or "every notebook is stamped")
        return 1 if problems else 0
    url = address(root)
    files = stamped(root, url)
    for path in stale(root, url):
        path.write_text(files[path], encoding="utf-8")
        print(f"stamped {path.relative_to(root)}")
    print(f"the address is {url}" if url else "no address is known: no badges")
    return 0


if __name__ == "__main__":
    sys.exit(main())
