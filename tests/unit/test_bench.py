"""The bench: what is timed, what is counted, what is said of it; no time itself is tested."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from vaeutil import bench, machine, training
from vaeutil.__main__ import main
from vaeutil.bench import evaluation, loops, quality, rates, report
from vaeutil.bench.targets import judged
from vaeutil.data import observe
from vaeutil.evaluation import nll
from vaeutil.models import VAE, save
from vaeutil.seeding import seeded

TINY = {
    "mlp": {"latent": 3, "net": "mlp", "hidden": [8]},
    "conv": {"latent": 3, "net": "conv", "hidden": 2},
}


@pytest.fixture(autouse=True)
def on_blobs(monkeypatch, blobs, tmp_path):
    monkeypatch.setattr(bench, "load_images", lambda: blobs)
    monkeypatch.setattr(bench, "SAVED", tmp_path / "bench")
    monkeypatch.setattr(rates, "SIDE", 64)
    monkeypatch.setattr(rates, "NETWORKS", TINY)
    with seeded(0):
        model = VAE(3, hidden=(8,))
    save(model, tmp_path / "vae.safetensors")
    monkeypatch.setattr(evaluation, "WEIGHTS", tmp_path / "vae.safetensors")


@pytest.fixture(params=[False, True], ids=["float32", "bf16"])
def bf16(monkeypatch, request):
    """A machine without bfloat16 instructions, and one with them."""
    for module in (rates, training):
        monkeypatch.setattr(module, "_cpu_has_bf16", lambda: request.param)
    return request.param


def lines_of(capsys):
    return capsys.readouterr().out.splitlines()


def test_quick_prints_every_row_and_writes_nothing(bf16, tmp_path, capsys):
    assert main(["bench", "--quick"]) == 0
    lines = lines_of(capsys)
    rows = ["training", "mlp [8], 3 latents", "conv 2", "fit ", "tutorial ", "tensors ", "peak: "]
    rows += ["quality", "time to quality: not measured by --quick"]
    rows += ["evaluation", "nll ", "usual ", "the float32 matrix products", "target: "]
    without = ["bf16: not timed: no bfloat16 instructions"]
    for row in rows + (["fit, bf16 ", "nll, bf16 "] if bf16 else without):
        assert any(line.startswith(row) for line in lines), row
    assert machine.processor() in lines[0]
    assert torch.__version__ in lines[0]
    verdict = next(line for line in lines if "against the tutorial's loop" in line)
    assert ("not measurable here (no bfloat16 instructions; in float32" in verdict) is not bf16
    assert not (tmp_path / "bench").exists()


def test_a_quick_bench_is_not_saved(capsys):
    assert main(["bench", "--quick", "--save"]) == 2
    assert "--quick measures nothing" in capsys.readouterr().err


def test_an_unknown_subject_is_told(capsys):
    assert main(["bench", "speed"]) == 2
    message = "There is no bench 'speed'; choose from training, quality, evaluation."
    assert message in capsys.readouterr().err


def test_save_writes_one_file_a_subject(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "USUAL", evaluation.QUICK)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert main(["bench", "evaluation", "quality", "--save"]) == 0
    folder = tmp_path / "bench"
    assert sorted(path.name for path in folder.iterdir()) == ["evaluation.json", "quality.json"]
    found = json.loads((folder / "quality.json").read_text())
    assert found["not_measured"] == "not measured on blobs; it is defined on mnist"
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["images"] == 4
    assert found["data"] == "blobs"
    assert found["machine"]["cores"] >= 1
    assert found["waiting"] == "active"
    assert found["versions"]["torch"] == torch.__version__
    assert {"commit", "dirty"} < set(found)


def test_training_is_measured_on_each_network(blobs, monkeypatch, bf16):
    monkeypatch.setattr(rates, "STEPS", {"mlp": 1, "conv": 1})
    monkeypatch.setattr(rates, "ROUNDS", 1)
    found = rates.measure(blobs)
    names = {"fit", "tutorial", "tensors"} | ({"fit, bf16"} if bf16 else set())
    for name, network in found["networks"].items():
        assert network["model"] == TINY[name]
        assert set(network["loops"]) == names
    (target,) = found["targets"]
    loops_found = found["networks"]["mlp"]["loops"]
    assert target["measured"] == (loops_found["fit, bf16"]["ratio"] if bf16 else None)


@pytest.mark.parametrize(
    ("measured", "least", "verdict"),
    [
        (2.0, False, "reached"),
        (2.1, False, "MISSED"),
        (2.1, True, "reached"),
        (1.9, True, "MISSED"),
        (None, True, "not measurable here"),
    ],
)
def test_a_target_is_judged(measured, least, verdict):
    row = judged("speed", "times", 2.0, measured, least=least, note="why")
    assert row["verdict"] == verdict
    (line,) = report.target_lines({"targets": [row]})
    assert line.startswith("target: speed: " + ("" if measured is None else f"{measured:.2f}, "))
    assert line.endswith(f"{'at least' if least else 'at most'} 2 times: {verdict} (why)")


def test_rates_and_ratios_belong_together(blobs, monkeypatch):
    seconds = {"fit": 1.0, "tutorial": 2.0, "tensors": 1.25}  # of a call, by a clock of our own
    now = 0.0

    class Clock:
        @staticmethod
        def perf_counter():
            return now

    def taking(name, order):
        def loop(model, steps):
            nonlocal now
            now += seconds[name] * (1 + 0.5 * len(order))  # each call slower than the one before
            order.append(name)

        return loop

    order: list[str] = []
    monkeypatch.setattr(rates, "time", Clock)
    monkeypatch.setattr(rates, "peak_flops", lambda where: 1e9)
    monkeypatch.setattr(
        rates, "loops_on", lambda images, where: {n: taking(n, order) for n in seconds}
    )
    found = rates.in_turns(blobs, TINY["mlp"], steps=10, rounds=3)
    assert order == ["fit", "tutorial", "tensors"] * 4
    calls = {name: [i for i, n in enumerate(order) if n == name][1:] for name in seconds}
    expected = {
        name: [1280 / (seconds[name] * (1 + 0.5 * i)) for i in index]
        for name, index in calls.items()
    }
    for name, loop in found["loops"].items():
        assert loop["images_per_second"] == pytest.approx(np.median(expected[name]))
        assert loop["lowest"] == pytest.approx(min(expected[name]))
        assert loop["highest"] == pytest.approx(max(expected[name]))
        ratios = np.divide(expected[name], expected["tutorial"])
        assert loop["ratio"] == pytest.approx(np.median(ratios))
        assert loop["fraction_of_peak"] == pytest.approx(
            loop["images_per_second"] * found["flops_per_image"] / 1e9
        )
    assert found["loops"]["tutorial"]["ratio"] == 1


def test_the_products_of_each_network_are_counted():
    weights = [784 * 8, 8 * 6, 3 * 8, 8 * 784]
    flops = 2 * (3 * sum(weights) - weights[0])  # the first layer needs no gradient of its inputs
    assert rates.flops_per_image(VAE(3, hidden=(8,))) == flops
    # Two convolutions of 4 × 4, 16 and 16·2 products a place; two linear layers; all of it back.
    one_way = [16 * 2 * 14**2, 32 * 4 * 7**2, 4 * 49 * 16, 16 * 6]
    other_way = [3 * 16, 16 * 4 * 49, 4 * 7**2 * 32, 2 * 14**2 * 16]
    flops = 2 * (3 * sum(one_way + other_way) - one_way[0])
    assert rates.flops_per_image(VAE(3, "conv", 2)) == flops


def test_peak_counts_two_for_each_product(monkeypatch):
    ticks = iter(range(1000))

    class Clock:
        @staticmethod
        def perf_counter():
            return next(ticks) / 10

    monkeypatch.setattr(rates, "time", Clock)
    assert rates.peak_flops(torch.device("cpu")) == pytest.approx(2 * 64**3 / 0.1)


def test_the_tutorial_sees_each_digit_once_an_epoch(blobs, monkeypatch):
    seen = []
    original = loops.to_tensor
    monkeypatch.setattr(loops, "to_tensor", lambda image: seen.append(1) or original(image))
    loss = loops.tutorial_loop(VAE(2, hidden=(8,)), loops.PilDigits(blobs), 8, torch.device("cpu"))
    assert len(seen) == 2 * 4 * 128  # 600 digits make 4 whole batches
    assert 0 < loss < 1_000


def test_the_baselines_learn(blobs):
    for digits in (loops.PilDigits(blobs), loops.tensors(blobs)):
        torch.manual_seed(0)
        model = VAE(2, hidden=(32,))
        first = loops.tutorial_loop(model, digits, 4, torch.device("cpu"))
        loops.tutorial_loop(model, digits, 60, torch.device("cpu"))
        assert loops.tutorial_loop(model, digits, 4, torch.device("cpu")) < 0.7 * first


def test_all_loops_see_the_same_pixels(blobs):
    image, label = loops.PilDigits(blobs)[5]
    x, y = loops.tensors(blobs)[5]
    assert image.shape == (1, 28, 28)
    assert torch.equal(image, x)
    assert label == y == blobs.train.labels[5]
    grey = Image.fromarray(np.array([[0, 51], [102, 255]], np.uint8))
    torch.testing.assert_close(loops.to_tensor(grey), torch.tensor([[[0, 0.2], [0.4, 1]]]))


def test_the_book_loop_is_fit_without_validation(blobs, monkeypatch):
    calls = []
    original = training.fit

    def spy(model, images, **settings):
        calls.append((len(images.valid), settings["steps"], settings["batch"]))
        return original(model, images, **settings)

    monkeypatch.setattr(loops, "fit", spy)
    loops.book_loop(VAE(2, hidden=(8,)), blobs, 3, torch.device("cpu"))
    assert calls == [(0, 3, 128)]


def test_time_to_a_bound(blobs, monkeypatch):
    recipe = {"steps": 3, "batch": 64, "lr": 1e-3, "seed": 0}
    monkeypatch.setitem(quality.BOUND, "recipe", recipe)
    found = quality.time_to_bound(blobs)
    assert found["test_images"] == 200
    assert found["seconds"] > 0
    assert found["reached"] == (found["negative_elbo"] <= 100)


def test_time_to_an_nll(blobs, monkeypatch, bf16):
    calls, original = [], training.fit

    def spy(model, images, **settings):
        before = model.decoder[0].weight.clone()
        calls.append((model, before, settings))
        return original(model, images, **settings)

    monkeypatch.setattr(quality, "fit", spy)
    for name in ("recipe", "finish"):
        monkeypatch.setitem(quality.NLL, name, {"steps": 3, "batch": 60, "lr": 1e-3, "seed": 0})
    for name, value in {"k": 10, "many_k": 20, "few": 20}.items():
        monkeypatch.setitem(quality.NLL, name, value)
    monkeypatch.setitem(quality.NLL, "model", {"latent": 3, "hidden": [8]})
    found = quality.time_to_nll(blobs)
    (first, _, settings), (finished, start, _) = calls
    assert torch.equal(start, first.decoder[0].weight)  # the finish goes on from the same weights
    assert {name: finished.config[name] for name in found["bound"]} == found["bound"]
    assert settings["bf16"] == found["bf16"] == bf16
    assert found["seconds"] > found["finish_seconds"] > 0
    assert found["epochs"] == pytest.approx(3 * 60 / 600)
    assert found["test_images"] == 200
    assert found["nll"] == nll(finished, blobs.test, k=10).mean
    assert found["nll_few"] == pytest.approx(nll(finished, blobs.test, k=10).values[:20].mean())
    assert found["nll_many"] == nll(finished, blobs.test[:20], k=20).mean
    assert found["reached"] == (found["nll"] <= 86.76)


def test_the_quality_decides_whether_its_time_counts(blobs, monkeypatch):
    bound = {"target": 100.0, "seconds": 9.0, "negative_elbo": 99.0, "stderr": 0.1}
    bound |= {"reached": True, "test_images": 200, "model": {}, "recipe": {"steps": 3, "lr": 2e-3}}
    likelihood = {"target": 86.76, "seconds": 200.0, "nll": 87.0, "stderr": 0.2, "reached": False}
    likelihood |= {"bf16": False, "model": {}, "recipe": {}, "finish": {}, "k": 500, "epochs": 30}
    likelihood |= {
        "finish_seconds": 30,
        "finish_epochs": 3,
        "bound": {"k": 5},
        "test_images": 10_000,
    }
    likelihood |= {"few_images": 20, "nll_few": 87.1, "many_k": 5_000, "nll_many": 86.9}
    likelihood |= {"stderr_many": 0.7}
    monkeypatch.setattr(quality, "time_to_bound", lambda images: bound)
    monkeypatch.setattr(quality, "time_to_nll", lambda images: likelihood)
    found = quality.measure(replace(blobs, name="mnist"))
    verdicts = [row["verdict"] for row in found["targets"]]
    assert verdicts == ["reached", "reached", "MISSED", "MISSED"]
    assert found["targets"][3]["note"] == "the quality was not reached"
    lines = report.quality_lines(found)
    assert lines[0].startswith("9.0 s of fit to a test −ELBO of 99.00 ± 0.10 nats on 200 images")
    assert lines[1].endswith("steps 3, lr 0.002")
    assert "NLL of 87.00 ± 0.20 nats by k = 500 on 10,000 images" in lines[2]
    assert lines[-1].endswith("by k = 5,000 86.90 ± 0.70")


def test_the_usual_likelihood_is_the_same_estimate(blobs):
    """Of a model whose posterior is exact every sample gives log p(x): both ways, without luck."""
    model = VAE(2, hidden=(8,)).eval()
    with torch.no_grad():
        for layer in (model.encoder[-1], model.decoder[0]):
            layer.weight.zero_()
            layer.bias.zero_()
        model.decoder[-1].bias.uniform_(-1, 1)
    part = blobs.test[:7]
    x = observe(part.pixels, "binary", torch.Generator().manual_seed(0))
    law = torch.distributions.Bernoulli(logits=model.preactivations(torch.zeros(2)).detach())
    exact = -law.log_prob(x).sum(1)
    torch.testing.assert_close(evaluation.usual(model, part, 30), exact)
    torch.testing.assert_close(nll(model, part, 30).values, exact)


def test_the_cost_of_a_likelihood(blobs, monkeypatch):
    now = 0.0

    class Clock:
        @staticmethod
        def perf_counter():
            return now

        @staticmethod
        def process_time():
            return 2 * now  # two threads at work

    def taking(seconds):
        def way(split, k):
            nonlocal now
            now += seconds * len(split)
            return torch.arange(len(split)).float()

        return way

    monkeypatch.setattr(evaluation, "time", Clock)
    ways = {"nll": taking(0.5), "usual": taking(1.0)}
    found = evaluation.in_turns(blobs.test, ways, images=20, k=3, rounds=4)
    assert found["nll"]["processor_seconds"] == pytest.approx(20.0)
    assert found["usual"]["seconds"] == pytest.approx(20.0)
    assert found["nll"]["ratio"] == pytest.approx(2.0)
    assert found["nll"]["nll"] == pytest.approx(2.0)
    assert len(found["nll"]["values"]) == 20


def test_the_error_of_bf16_is_told(blobs, bf16):
    found = evaluation.measure(blobs, quick=True)
    apart = found["bf16_difference"]
    assert (apart is not None) is bf16
    assert all("values" not in way for way in found["ways"].values())
    if bf16:
        mean = found["ways"]["nll, bf16"]["nll"] - found["ways"]["nll"]["nll"]
        assert apart["mean"] == pytest.approx(mean, abs=1e-4)
        assert abs(apart["mean"]) <= apart["largest"] < 5
    else:
        assert "in float32; bf16 not timed" in found["targets"][0]["note"]


def test_the_products_of_an_evaluation(monkeypatch):
    monkeypatch.setattr(evaluation, "peak_flops", lambda where: 1e6)
    model = VAE(3, hidden=(8,))
    seconds = evaluation.products_seconds(model, torch.device("cpu"), 100)
    products = 100 * (3 * 8 + 8 * 784)
    assert seconds == pytest.approx(2 * products / 1e6 * torch.get_num_threads())
    apart = evaluation.difference(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 2.0]))
    assert apart == {"mean": -0.5, "largest": 1.0}


@pytest.mark.parametrize(("load", "warned"), [(0.1, False), (None, False), (3.0, True)])
def test_a_busy_machine_is_told(load, warned):
    about = {"device": "CPU", "threads": 2, "cores": 2, "load": load}
    lines = report.machine_lines({"machine": about, "versions": {"torch": "2"}})
    assert ("WARNING" in lines[-1]) is warned
