import io
import sys

import pytest

from vaeutil import _progress
from vaeutil.history import History


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_one_line_that_replaces_itself(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = _progress.Progress()
    bar.update("a long first line")
    bar.update("short")
    bar.close()
    assert sys.stderr.getvalue() == "\ra long first line\rshort            \n"


def test_a_file_gets_the_last_line_only(capsys):
    bar = _progress.Progress()
    for line in ("first", "second", "last"):
        bar.update(line)
    bar.close()
    assert capsys.readouterr().err == "last\n"


def test_silence(capsys):
    bar = _progress.Progress(show=False)
    bar.update("nothing")
    bar.close()
    assert capsys.readouterr() == ("", "")


def test_a_notebook_keeps_one_output_with_the_last_line(run_cell):
    code = "from vaeutil._progress import Progress\nb = Progress()\n"
    code += "for n in range(5): b.update(f'step {n}')\nb.close()"
    (output,) = run_cell(code)
    assert output["data"] == {"text/plain": "step 4"}


def test_the_line_says_what_is_known_so_far():
    history = History()
    assert history.line(1_000) == "step 0 of 1,000"
    history.add(500, {"loss": 100.04, "reconstruction": 80.0, "kl": 20.04, "gradient norm": 9.0})
    history.seconds = 12.3
    line = history.line(1_000)
    assert line == "step 500 of 1,000 · 12 s · loss 100.0 = 80.0 reconstruction + 20.0 kl nats"
    history.valid.append((500, -101.26, 0.74))
    history.interrupted = True
    assert history.line(1_000) == line + " · validation ELBO -101.3 ± 0.7 nats · interrupted"


def test_history_survives_json():
    history = History(unit="nats", valid=[(5, -1.0, 0.1)], seconds=2.0)
    history.add(5, {"loss": 1.0})
    assert History.from_dict(history.to_dict()) == history


def test_an_autoencoders_line_has_no_parts():
    history = History(unit="squared error per image")
    history.add(5, {"loss": 31.0, "gradient norm": 2.0})
    assert history.line(5) == "step 5 of 5 · 0 s · loss 31.0 squared error per image"


@pytest.mark.parametrize("seed", [0, 5])
def test_seeded_restores_the_callers_numbers(seed):
    import torch

    from vaeutil.seeding import seeded

    torch.manual_seed(1)
    want = torch.rand(2)
    torch.manual_seed(1)
    first = torch.rand(1)
    with seeded(seed):
        inside = torch.rand(3)
    with seeded(seed):
        assert torch.equal(inside, torch.rand(3))
    assert torch.equal(torch.cat([first, torch.rand(1)]), want)
