import argparse
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from vaeutil import bench, machine, training
from vaeutil.__main__ import main
from vaeutil.bench import loops, quality, rates, report
from vaeutil.models import VAE


@pytest.fixture(autouse=True)
def on_blobs(monkeypatch, blobs):
    monkeypatch.setattr(bench, "load_images", lambda: blobs)
    monkeypatch.setattr(rates, "SIDE", 64)


def test_quick_prints_every_row_and_writes_the_figures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rates, "_cpu_has_bf16", lambda: False)
    monkeypatch.setattr(bench, "SAVED", tmp_path / "saved.json")
    path = tmp_path / "bench.json"
    assert main(["bench", "--quick", "--json", str(path)]) == 0
    text = capsys.readouterr().out
    for row in ("fit ", "tutorial ", "tensors ", "peak: ", "bf16: no bfloat16", "time to quality"):
        assert any(line.startswith(row) for line in text.splitlines()), row
    assert machine.processor() in text
    assert torch.__version__ in text
    figures = json.loads(path.read_text())
    assert figures["images"] == "blobs"
    assert set(figures["loops"]) == {"fit", "tutorial", "tensors"}
    assert figures["no_quality"] == "not measured by --quick"
    assert [p.name for p in tmp_path.iterdir()] == ["bench.json"]


def test_bf16_is_timed_where_the_cpu_can(capsys, monkeypatch):
    monkeypatch.setattr(rates, "_cpu_has_bf16", lambda: True)
    monkeypatch.setattr(training, "_cpu_has_bf16", lambda: True)
    assert main(["bench", "--quick"]) == 0
    text = capsys.readouterr().out
    assert "fit, bf16 " in text
    assert "no bfloat16" not in text


def test_a_quick_bench_is_not_saved(capsys):
    assert main(["bench", "--quick", "--save"]) == 2
    assert "--quick measures nothing" in capsys.readouterr().err


def test_save_writes_into_the_results(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "SAVED", tmp_path / "bench" / "training.json")
    monkeypatch.setattr(bench, "USUAL", bench.QUICK)
    bench.run(argparse.Namespace(quick=False, save=True, json=None))
    figures = json.loads((tmp_path / "bench" / "training.json").read_text())
    assert figures["no_quality"] == "not measured on blobs; it is defined on mnist"
    assert figures["machine"]["cores"] >= 1
    assert figures["versions"]["torch"] == torch.__version__


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
    found = rates.measure(blobs, steps=10, rounds=3)
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


def test_flops_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    model = VAE(20, hidden=(400,))
    with FlopCounterMode(display=False) as counter:
        model.loss(torch.ones(8, 784))["loss"].backward()
    # torch counts x·a in the likelihood as well where it is a matrix product; here it is none.
    assert rates.flops_per_image(model) == counter.get_total_flops() / 8


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


def test_time_to_quality(blobs, monkeypatch):
    monkeypatch.setattr(quality, "RECIPE", {"steps": 3, "batch": 64, "lr": 1e-3, "seed": 0})
    found = quality.measure(blobs)
    assert found["test_images"] == 200
    assert found["seconds"] > 0
    assert found["reached"] == (found["negative_elbo"] <= 100)
    (line, _) = report.quality_lines({"quality": {**found, "negative_elbo": 99.0, "reached": True}})
    assert "99.00 ± " in line
    assert line.endswith("100 reached")
    (line, _) = report.quality_lines({"quality": {**found, "reached": False}})
    assert line.endswith("100 NOT reached")


@pytest.mark.parametrize(("load", "warned"), [(0.1, False), (None, False), (3.0, True)])
def test_a_busy_machine_is_told(load, warned):
    about = {"device": "CPU", "threads": 2, "cores": 2, "load": load}
    lines = report.machine_lines({"machine": about, "versions": {"torch": "2"}})
    assert ("WARNING" in lines[-1]) is warned


def test_only_linear_layers_count():
    model = VAE(2, hidden=(8,))
    assert sum(isinstance(m, nn.Linear) for m in model.modules()) == 4
    weights = [784 * 8, 8 * 4, 2 * 8, 8 * 784]
    assert rates.flops_per_image(model) == 2 * (3 * sum(weights) - 784 * 8)
