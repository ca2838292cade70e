import subprocess
import sys

import pytest
import torch
from safetensors import safe_open

import vaeutil
from vaeutil import __main__ as cli
from vaeutil import experiments, models
from vaeutil.data import DataUnavailable, Images
from vaeutil.models import AE, VAE, load


@pytest.fixture(autouse=True)
def on_blobs(monkeypatch, blobs):
    """Blobs under every name: the command line is tested, not the digits."""

    def named(name=None):
        return Images(name or "mnist", blobs.train, blobs.valid, blobs.test, blobs.provenance)

    monkeypatch.setattr(cli, "load_images", named)
    monkeypatch.setattr(cli, "report", lambda: "mnist: here")


@pytest.fixture
def saved(tmp_path):
    """Save a small model as trained on a data set; give the path."""

    def save(data=None, model=None):
        path = tmp_path / "saved.safetensors"
        about = {} if data is None else {"data": data}
        models.save(model or VAE(2, hidden=(8,)), path, **about)
        return str(path)

    return save


def refused(capsys, *words):
    """The one line on stderr of a command that ends with status 2."""
    assert cli.main(list(words)) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.startswith("vaeutil: ")
    return error


def train(*words):
    return cli.main(["train", "--latent", "2", "--steps", "3", *map(str, words)])


def test_the_module_runs_and_explains_itself():
    line = [sys.executable, "-m", "vaeutil", "--help"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: python -m vaeutil" in done.stdout


@pytest.mark.parametrize("word", ["data", "train", "evaluate", "reproduce", "bench"])
def test_each_command_explains_itself(word, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([word, "--help"])
    assert ended.value.code == 0
    assert f"usage: python -m vaeutil {word}" in capsys.readouterr().out


def test_an_error_of_the_module_is_one_line(saved):
    line = [sys.executable, "-m", "vaeutil", "evaluate", saved("mnist"), "--data", "mnist-5k"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("vaeutil: ")
    assert len(done.stderr.splitlines()) == 1


def test_help_gives_units_and_defaults(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "gradient steps (default: 5000)" in text
    assert "images a step (default: 128)" in text
    assert "order and samples (default: 0)" in text
    assert "default: None" not in text
    assert "default: False" not in text


def test_data_reports(capsys):
    assert cli.main(["data"]) == 0
    assert capsys.readouterr().out == "mnist: here\n"


def test_data_fetches_what_is_named(monkeypatch, capsys):
    fetched = []
    monkeypatch.setattr(cli, "load_images", fetched.append)
    assert cli.main(["data", "mnist", "fashion-mnist"]) == 0
    assert fetched == ["mnist", "fashion-mnist"]


def test_train_writes_a_model_that_evaluate_reads(tmp_path, capsys):
    out = tmp_path / "new" / "a.safetensors"
    assert train("--out", out, "--seed", 3, "--data", "mnist", "--batch", 50) == 0
    assert load(out).config == VAE(2).config
    with safe_open(out, "pt") as file:
        about = file.metadata()
    assert (about["data"], about["seed"], about["steps"], about["batch"]) == (
        "mnist", "3", "3", "50",
    )  # fmt: skip
    assert [p.name for p in out.parent.iterdir()] == ["a.safetensors"]
    capsys.readouterr()
    assert cli.main(["evaluate", str(out), "--k", "4", "--images", "30"]) == 0
    text = capsys.readouterr().out
    assert "trained on mnist" in text
    assert "dynamic binarisation" in text
    assert "200 test images of mnist" in text
    assert "the first 30 of them, k=4 importance samples" in text
    assert "active units" in text
    assert text.count(" ± ") == 2


def test_the_seed_decides_the_model(tmp_path):
    files = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for file, seed in zip(files, (1, 1, 2), strict=True):
        train("--out", file, "--seed", seed)
    a, b, c = (load(file).decoder[0].weight for file in files)
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize("kind", ["ae", "conv", "gaussian"])
def test_the_other_models_train(tmp_path, kind):
    words = {
        "ae": ["--model", "ae"], "conv": ["--net", "conv"], "gaussian": ["--likelihood", "gaussian"]
    }  # fmt: skip
    out = tmp_path / "a.safetensors"
    assert train("--out", out, *words[kind]) == 0
    model = load(out)
    assert isinstance(model, AE if kind == "ae" else VAE)
    assert model.config["net"] == ("conv" if kind == "conv" else "mlp")


def test_train_does_not_overwrite(tmp_path, capsys):
    out = tmp_path / "a.safetensors"
    out.write_text("precious")
    error = refused(capsys, "train", "--out", str(out), "--steps", "1")
    assert "exists; --force replaces it" in error
    assert out.read_text() == "precious"
    assert train("--out", out, "--force") == 0
    assert load(out).latent == 2


def test_train_checks_before_it_trains(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli.training._Run, "train", None)  # would be a TypeError
    out = str(tmp_path / "a.safetensors")
    assert "must end in .safetensors" in refused(capsys, "train", "--out", str(tmp_path / "a.pt"))
    assert "no likelihood" in refused(
        capsys, "train", "--out", out, "--model", "ae", "--likelihood", "gaussian"
    )
    assert "600 training images" in refused(capsys, "train", "--out", out, "--batch", "601")
    assert "lr=-1" in refused(capsys, "train", "--out", out, "--lr", "-1")
    (tmp_path / "old").write_text("x")
    assert "damaged" in refused(
        capsys, "train", "--out", out, "--checkpoint", str(tmp_path / "old")
    )
    assert "File exists" in refused(
        capsys, "train", "--out", str(tmp_path / "old" / "a.safetensors")
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", "0"], "'0' is not a whole number from 1 on"),
        (["--latent", "2.5"], "'2.5' is not a whole number"),
        (["--batch", "-3"], "'-3' is not a whole number"),
        (["--data", "cifar"], "invalid choice: 'cifar'"),
        (["--model", "gan"], "invalid choice: 'gan'"),
        (["--device", "abacus"], "'abacus' cannot be used here"),
        (["--lr", "fast"], "invalid float value"),
        ([], "required: --out"),
    ],
)
def test_words_that_make_no_sense(tmp_path, capsys, words, message):
    out = ["--out", str(tmp_path / "a.safetensors")] if words else []
    with pytest.raises(SystemExit) as stop:
        cli.main(["train", *out, *words])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_an_interrupted_training_saves_no_model(tmp_path, capsys, monkeypatch):
    def stop(self, x, y=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(VAE, "loss", stop)
    out = tmp_path / "a.safetensors"
    assert train("--out", out) == 130
    assert not out.exists()


def test_a_loss_that_is_not_finite_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(VAE, "loss", lambda self, x, y=None: {"loss": self.encode(x).sum() / 0})
    error = refused(capsys, "train", "--out", str(tmp_path / "a.safetensors"), "--steps", "2")
    assert "Step 1: " in error
    assert "Try a smaller learning rate" in error


def test_a_bug_shows_its_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(VAE, "loss", lambda self, x, y=None: torch.eye(2) @ torch.eye(3))
    with pytest.raises(RuntimeError):
        train("--out", tmp_path / "a.safetensors")
    monkeypatch.setattr(VAE, "loss", lambda self, x, y=None: int("three"))
    with pytest.raises(ValueError, match="invalid literal"):
        train("--out", tmp_path / "a.safetensors")


def test_mnist_digits_do_not_judge_a_model_that_saw_them(saved, capsys):
    for data in ("mnist", "binarized-mnist", None):
        error = refused(capsys, "evaluate", saved(data), "--data", "mnist-5k")
        assert "MNIST training images" in error
    assert cli.main(["evaluate", saved("mnist-5k"), "--k", "2", "--images", "9"]) == 0
    text = capsys.readouterr().out
    assert "the first 9 of them" in text
    assert "not comparable with published" in text


def test_evaluate_names_the_fixed_binarisation(saved, capsys):
    path = saved("binarized-mnist")
    assert cli.main(["evaluate", path, "--k", "2", "--images", "9"]) == 0
    assert "fixed binarisation of Larochelle and Murray" in capsys.readouterr().out


def test_evaluate_needs_a_density_and_a_file(saved, tmp_path, capsys):
    assert "gives no density" in refused(
        capsys, "evaluate", saved("mnist", AE(2, hidden=(8,))), "--k", "2"
    )
    assert "give --data" in refused(capsys, "evaluate", saved())
    assert "no file" in refused(capsys, "evaluate", str(tmp_path / "none.safetensors"))
    path = tmp_path / "half.safetensors"
    path.write_bytes(b"half")
    assert "not a whole safetensors file" in refused(capsys, "evaluate", str(path))
    assert "200 test images" in refused(capsys, "evaluate", saved("mnist"), "--images", "201")


def test_data_that_cannot_be_had_is_told(saved, capsys, monkeypatch):
    def unavailable(name):
        raise DataUnavailable(f"The data set {name} cannot be had.")

    monkeypatch.setattr(cli, "load_images", unavailable)
    assert "mnist cannot be had" in refused(capsys, "evaluate", saved("mnist"))
    assert "fashion-mnist cannot be had" in refused(capsys, "data", "fashion-mnist")


def test_reproduce_passes_its_words_on(monkeypatch, tmp_path, capsys):
    calls = []
    monkeypatch.setattr(experiments, "reproduce", lambda *a, **k: calls.append((a, k)))
    words = ["reproduce", "vae", "--shard", "2/3", "--again", "--work", str(tmp_path)]
    assert cli.main(words) == 0
    assert calls == [
        (("vae", "2/3"), {"again": True, "results": experiments.RESULTS, "work": tmp_path})
    ]
    assert cli.main(["reproduce", "--list"]) == 0
    assert "vae: The VAE of chapter 5" in capsys.readouterr().out


def test_reproduce_sets_the_profile(monkeypatch):
    monkeypatch.setenv("VAEUTIL_PROFILE", "book")
    seen = []
    monkeypatch.setattr(experiments, "reproduce", lambda *a, **k: seen.append(vaeutil.profile()))
    assert cli.main(["reproduce", "vae", "--profile", "full"]) == 0
    assert seen == ["full"]


def test_reproduce_refuses(capsys):
    assert "names are hero, vae" in refused(capsys, "reproduce", "flow")
    assert "A shard is written i/n" in refused(capsys, "reproduce", "vae", "--shard", "0/5")
    with pytest.raises(SystemExit):
        cli.main(["reproduce"])
