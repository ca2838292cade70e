import hashlib
import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import torch

from vaeutil import experiments
from vaeutil.data import DataUnavailable, Images, observe
from vaeutil.experiments import hero, likelihood, parts, runner, vae
from vaeutil.experiments.summary import summarise, t_interval
from vaeutil.models import VAE, load

FIGURES = {"negative_elbo", "rate", "distortion", "nll", "active_units", "training_seconds"}


@pytest.fixture
def tiny(monkeypatch, blobs, tmp_path):
    """The experiment "tiny": three seeds of a small VAE; what it depends on may be changed."""
    monkeypatch.delenv("VAEUTIL_PROFILE", raising=False)
    code = tmp_path / "tiny.py"
    code.write_text("STEPS = 6\n")
    module = SimpleNamespace(
        __doc__="Three small VAEs.",
        __file__=str(code),
        CODE=likelihood.CODE,
        DATA="blobs",
        CONFIG={
            "model": {"latent": 2, "hidden": [8]},
            "training": {"steps": 6, "batch": 32, "valid_every": 2, "progress": False},
            "evaluation": {"elbo_images": 100, "nll_images": 20, "nll_k": 5},
        },
        SMOKE=likelihood.SMOKE,
        RUNS=[{"seed": seed} for seed in range(3)],
        WEIGHTS={"tiny.safetensors": {"seed": 1}},
        run=likelihood.run,
    )
    monkeypatch.setattr(runner, "NAMES", ("tiny",))
    monkeypatch.setattr(runner, "_module", lambda name: module)
    monkeypatch.setattr(runner, "load_images", lambda name=None: blobs)
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    return module


@pytest.fixture
def places(tmp_path):
    return {"results": tmp_path / "results", "work": tmp_path / "work"}


def figures(path):
    """The figures of each run that do not depend on the clock."""
    runs = json.loads(Path(path).read_text())["runs"]
    return [{k: v for k, v in run["figures"].items() if not k.endswith("seconds")} for run in runs]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_result_holds_what_it_was_made_from(tiny, places, blobs):
    path = experiments.reproduce("tiny", **places)
    found = experiments.result("tiny")
    assert path == places["results"] / "tiny.json"
    assert (found["config"], found["data"]) == (
        tiny.CONFIG,
        {"name": "blobs", "checksum": blobs.checksum},
    )
    assert [run["run"] for run in found["runs"]] == tiny.RUNS
    for run in found["runs"]:
        assert set(run["figures"]) == FIGURES
        assert set(run["errors"]) == {"negative_elbo", "nll"}
        assert run["versions"]["torch"] == torch.__version__
        assert run["machine"]["threads"] == torch.get_num_threads()
        assert run["machine"]["device"]
        assert len(run["commit"] or "0" * 40) == 40
        assert run["figures"]["rate"] + run["figures"]["distortion"] == pytest.approx(
            run["figures"]["negative_elbo"]
        )
    values = [run["figures"]["nll"] for run in found["runs"]]
    summary = found["summary"]["nll"]
    assert summary["mean"] == pytest.approx(np.mean(values))
    assert summary["n"] == 3
    test = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert summary["interval"] == pytest.approx([test.low, test.high])


def test_the_weights_beside_it_are_those_of_the_named_run(tiny, places):
    path = experiments.reproduce("tiny", **places)
    stored = path.with_suffix(".safetensors")
    assert names(places["results"]) == ["tiny.json", "tiny.safetensors"]
    kept = experiments.result("tiny")["runs"][1]
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == kept["weights_sha256"]
    model = load(stored)
    assert model.config["hidden"] == [8]
    assert stored.stat().st_size < 2.2 * sum(p.numel() for p in model.parameters()) + 1_500
    assert names(places["work"] / "tiny") == [
        "seed-0.json", "seed-1.json", "seed-1.safetensors", "seed-2.json",
    ]  # fmt: skip


def test_shards_give_the_result_of_one_run(tiny, places, tmp_path, capsys):
    whole = experiments.reproduce("tiny", **places)
    apart = {"results": tmp_path / "results2", "work": tmp_path / "work2"}
    assert experiments.reproduce("tiny", "2/2", **apart) is None
    assert "waits for 2 of 3 runs" in capsys.readouterr().out
    assert names(apart["work"] / "tiny") == ["seed-1.json", "seed-1.safetensors"]
    assert not apart["results"].exists()
    merged = experiments.reproduce("tiny", "1/2", **apart)
    assert merged == apart["results"] / "tiny.json"
    assert figures(merged) == figures(whole)
    one, other = (load(path.with_suffix(".safetensors")).state_dict() for path in (merged, whole))
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_seeds_differ(tiny, places):
    runs = figures(experiments.reproduce("tiny", **places))
    assert len({run["nll"] for run in runs}) == 3


def test_an_interrupted_experiment_goes_on(tiny, places, capsys):
    done = []

    def stop_at_1(images, config, checkpoint, seed):
        if seed == 1:
            raise KeyboardInterrupt
        done.append(seed)
        return likelihood.run(images, config, checkpoint, seed)

    tiny.run = stop_at_1
    with pytest.raises(KeyboardInterrupt):
        experiments.reproduce("tiny", **places)
    assert names(places["work"] / "tiny") == ["seed-0.json"]
    assert not places["results"].exists()

    tiny.run = lambda *a, **k: (done.append(k["seed"]), likelihood.run(*a, **k))[1]
    capsys.readouterr()
    assert experiments.reproduce("tiny", **places) is not None
    assert done == [0, 1, 2]
    assert "seed 0: already there, in " in capsys.readouterr().out


def test_an_interrupted_training_goes_on_to_the_same_figures(tiny, places, tmp_path, monkeypatch):
    whole = figures(experiments.reproduce("tiny", **places))
    apart = {"results": tmp_path / "results2", "work": tmp_path / "work2"}
    calls, original = 0, VAE.loss

    def stop(self, x, y=None):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return original(self, x, y)

    monkeypatch.setattr(VAE, "loss", stop)
    with pytest.raises(KeyboardInterrupt):
        experiments.reproduce("tiny", **apart)
    (left,) = names(apart["work"] / "tiny")
    assert left.startswith("seed-0.")
    assert left.endswith(".checkpoint")
    calls = 100
    assert figures(experiments.reproduce("tiny", **apart)) == whole
    assert calls == 100 + 2 + 6 + 6  # two steps were left of the first run
    assert left not in names(apart["work"] / "tiny")


def test_nothing_half_written_when_the_disk_is_full(tiny, places, monkeypatch):
    def full(self, *a, **k):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        experiments.reproduce("tiny", **places)
    monkeypatch.undo()
    assert not list((places["work"] / "tiny").glob("*.json"))
    assert not list((places["work"] / "tiny").glob(".seed-0.json*"))


def change_config(tiny, monkeypatch, blobs):
    tiny.CONFIG = {**tiny.CONFIG, "training": {**tiny.CONFIG["training"], "steps": 7}}
    return r"config\.training\.steps is 6 there, 7 now"


def change_code(tiny, monkeypatch, blobs):
    Path(tiny.__file__).write_text("STEPS = 7\n")
    return r"code is '\w+…' there, '\w+…' now"


def change_data(tiny, monkeypatch, blobs):
    other = Images("blobs", blobs.train, blobs.valid, blobs.test[:150], blobs.provenance)
    monkeypatch.setattr(runner, "load_images", lambda name=None: other)
    return r"data\.checksum is '\w+…' there"


@pytest.mark.parametrize("change", [change_config, change_code, change_data])
def test_a_run_made_from_something_else_is_refused(
    tiny, places, blobs, monkeypatch, capsys, change
):
    first = figures(experiments.reproduce("tiny", **places))
    before = (places["work"] / "tiny" / "seed-0.json").read_text()
    message = change(tiny, monkeypatch, blobs)
    with pytest.raises(ValueError, match=message):
        experiments.reproduce("tiny", **places)
    assert "will be replaced" in capsys.readouterr().out
    assert (places["work"] / "tiny" / "seed-0.json").read_text() == before

    # One share made anew: the others, of before, are not merged with it.
    assert experiments.reproduce("tiny", "1/3", again=True, **places) is None
    assert "waits for 2 of 3 runs" in capsys.readouterr().out
    assert figures(places["results"] / "tiny.json") == first
    assert experiments.reproduce("tiny", again=True, **places) is not None


def test_what_is_there_is_not_made_again_unless_asked(tiny, places, capsys):
    experiments.reproduce("tiny", **places)
    stamp = json.loads((places["results"] / "tiny.json").read_text())["runs"][0]["finished"]
    tiny.run = None
    experiments.reproduce("tiny", **places)
    assert "is there, made from the same; --again" in capsys.readouterr().out
    tiny.run = likelihood.run
    path = places["work"] / "tiny" / "seed-0.json"
    part = json.loads(path.read_text())
    path.write_text(json.dumps({**part, "finished": "2000-01-01"}))
    experiments.reproduce("tiny", again=True, **places)
    assert json.loads(path.read_text())["finished"] >= stamp


def test_a_comment_is_no_other_code(tmp_path):
    file = tmp_path / "a.py"

    def code(text):
        file.write_text(text)
        return parts.fingerprint([file])

    first = code('"""About."""\ndef f(x):\n    """Doc."""\n    return x + 1\n')
    assert code("# new words\ndef f(x):\n\n    return x + 1  # one\n") == first
    assert code("def f(x):\n    return x + 2\n") != first


def test_a_damaged_part_is_named(tiny, places):
    experiments.reproduce("tiny", "1/3", **places)
    path = places["work"] / "tiny" / "seed-0.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(ValueError, match=r"seed-0\.json is damaged .* delete it and run again"):
        experiments.reproduce("tiny", **places)


def test_a_smoke_run_never_reaches_the_results(tiny, places, monkeypatch):
    monkeypatch.setenv("VAEUTIL_PROFILE", "smoke")
    path = experiments.reproduce("tiny", **places)
    assert path == places["work"] / "smoke" / "tiny.json"
    assert json.loads(path.read_text())["config"]["evaluation"]["nll_k"] == 5
    assert json.loads(path.read_text())["config"]["training"]["steps"] == 10
    assert not places["results"].exists()
    assert names(places["work"]) == ["smoke"]


def test_without_mnist_there_is_no_result(tiny, places, monkeypatch):
    def unavailable(name=None):
        raise DataUnavailable("Tried: nothing.")

    monkeypatch.setattr(runner, "load_images", unavailable)
    with pytest.raises(DataUnavailable, match=r"defined on blobs, .*not mnist-5k either.*Tried"):
        experiments.reproduce("tiny", **places)


def test_names_and_shards_that_are_none(tiny, places):
    with pytest.raises(ValueError, match=r"no experiment 'big'; the names are tiny\."):
        experiments.reproduce("big", **places)
    with pytest.raises(ValueError, match="no experiment 'big'"):
        experiments.result("big")
    for shard in ("0/2", "3/2", "1", "a/b", "1/0", "-1/2"):
        with pytest.raises(ValueError, match="A shard is written i/n"):
            experiments.reproduce("tiny", shard, **places)
    with pytest.raises(ValueError, match="tiny has 3 runs: shard 4/4 would be empty"):
        experiments.reproduce("tiny", "4/4", **places)
    with pytest.raises(FileNotFoundError, match="python -m vaeutil reproduce tiny"):
        experiments.result("tiny")


def test_the_list_tells_when_the_code_has_changed(tiny, places):
    assert experiments.describe("tiny").endswith("Runs: 3, on blobs; not run yet.")
    experiments.reproduce("tiny", **places)
    assert "run until 20" in experiments.describe("tiny")
    assert "changed" not in experiments.describe("tiny")
    Path(tiny.__file__).write_text("STEPS = 7\n")
    assert "since then changed: code is" in experiments.describe("tiny")


def test_t_interval_against_scipy():
    values = [88.1, 88.4, 87.9, 88.6, 88.2]
    want = scipy.stats.t.interval(0.95, 4, np.mean(values), scipy.stats.sem(values))
    assert t_interval(values) == pytest.approx(want)
    assert t_interval(values, 0.5) == pytest.approx(
        scipy.stats.t.interval(0.5, 4, np.mean(values), scipy.stats.sem(values))
    )
    assert t_interval([1.0]) is None


def test_settings_are_summarised_apart():
    runs = [
        {"run": {"seed": s, "k": k}, "figures": {"nll": 90.0 - k + s}}
        for k in (1, 5) for s in (0, 1)
    ]  # fmt: skip
    found = summarise(runs)
    assert {name: v["mean"] for name, v in found.items()} == {"nll, k=1": 89.5, "nll, k=5": 85.5}
    assert [v["n"] for v in found.values()] == [2, 2]
    assert parts.key(runs[0]["run"]) == "seed-0_k-1"


def test_the_rate_is_the_mean_kl(blobs):
    torch.manual_seed(0)
    model = VAE(3, hidden=(8,)).eval()
    x = observe(blobs.test.pixels, "binary", torch.Generator().manual_seed(0))
    with torch.no_grad():
        kl = torch.distributions.kl_divergence(model.posterior(x), model.prior.expand((len(x),)))
    assert likelihood.mean_kl(model, blobs.test) == pytest.approx(kl.mean().item(), rel=1e-5)


def test_the_full_profile_has_a_result_of_its_own(tiny, places, monkeypatch):
    tiny.FULL = {
        "config": {"training": {"steps": 9}},
        "runs": [{"seed": 7}],
    }
    experiments.reproduce("tiny", **places)
    monkeypatch.setenv("VAEUTIL_PROFILE", "full")
    path = experiments.reproduce("tiny", **places)
    assert path == places["results"] / "tiny-full.json"
    found = experiments.result("tiny-full")
    assert found["config"]["training"] == {**tiny.CONFIG["training"], "steps": 9}
    assert [run["run"] for run in found["runs"]] == [{"seed": 7}]
    assert list(found["weights"]) == ["tiny-full-seed-7.safetensors"]
    assert (places["results"] / "tiny-full-seed-7.safetensors").exists()
    assert len(experiments.result("tiny")["runs"]) == 3


def test_an_experiment_of_one_size_is_the_same_in_the_full_profile(tiny, places, monkeypatch):
    monkeypatch.setenv("VAEUTIL_PROFILE", "full")
    assert experiments.reproduce("tiny", **places) == places["results"] / "tiny.json"
    with pytest.raises(FileNotFoundError, match="reproduce tiny --profile full"):
        experiments.result("tiny-full")


@pytest.mark.parametrize(("name", "module"), [("hero", hero), ("vae", vae)])
def test_the_shipped_results_are_whole(name, module):
    found = experiments.result(name)
    assert found["config"] == module.CONFIG
    assert found["data"]["name"] == "mnist"
    assert [run["run"] for run in found["runs"]] == module.RUNS
    assert all(math.isfinite(v) for run in found["runs"] for v in run["figures"].values())
    for file, kept in module.WEIGHTS.items():
        run = next(run for run in found["runs"] if run["run"] == kept)
        digest = hashlib.sha256((runner.RESULTS / file).read_bytes()).hexdigest()
        assert digest == run["weights_sha256"]
        assert load(runner.RESULTS / file).config["latent"] == module.CONFIG["model"]["latent"]
    assert (runner.RESULTS / "hero.safetensors").stat().st_size < 1_100_000
