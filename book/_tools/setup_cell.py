"""The set-up cell, the same in every notebook: what follows from the line `# @title` on.

`stamp.py` copies it into the cell tagged `setup`, with the repository's address in place of "".
Where vaeutil can be imported nothing is installed; a notebook on its own installs it from that
address. Change it here, then run `make stamp`.
"""

# ruff: noqa: F401
# @title Set-up: run this cell first
import subprocess
import sys
from importlib import metadata, util

if util.find_spec("vaeutil") is None:  # this notebook is away from its book, as on Colab
    repository = ""
    if not repository:
        raise ModuleNotFoundError(
            "This notebook needs the book's package, vaeutil. In the book's folder run "
            "`pip install .`, or, for Colab, `pip wheel --no-deps .`: upload the file that makes "
            "to Colab and run `%pip install` with its name. Then run this cell again."
        )
    print(f"Installing vaeutil from {repository}: about a minute.")
    # An installed torch, named here with its exact version, is not replaced.
    torch = [f"torch=={found.version}" for found in metadata.distributions(name="torch")][:1]
    pip = [sys.executable, "-m", "pip", "install", f"vaeutil @ git+{repository}", *torch]
    if (done := subprocess.run(pip, capture_output=True, text=True)).returncode:
        raise RuntimeError(f"pip could not install vaeutil:\n{done.stderr}")
import vaeutil  # before torch: it sets how torch's threads wait

if "google.colab" in sys.modules:
    sys.modules["google.colab"].output.enable_custom_widget_manager()  # for the sliders
import torch

from vaeutil import figures
from vaeutil.check import agree

figures.use()
print(f"profile {vaeutil.profile()}, torch {torch.__version__}, GPU: {torch.cuda.is_available()}")
