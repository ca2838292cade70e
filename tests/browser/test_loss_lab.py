"""The loss laboratory on a static page: its numbers and its picture, against numpy."""

import re

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from standalone import write_page
from test_explorer import NARROW, WIDE, grey_levels

from vaeutil.widgets import LossLab

SIDES = {"14 × 14": 196, "28 × 28": 784, "56 × 56": 56**2, "3 × 64 × 64": 3 * 64**2}
SIDES["3 × 224 × 224"] = 3 * 224**2
# A and B of the loss A‖x − m‖² + B·KL, the σ written, and the number of values, by hand.
PRESETS = [
    (1 / 0.18, 1, 0.3, 784),
    (1 / 784, 1, 1, 784),
    (1 / 12288, 0.00025, 1, 12288),
    (1 / 12288, 1, 1, 12288),
    (1 / 784, 0.00025, 1, 784),
    (1, 1 / 32, 1, 784),
    (1, 1, 1, 784),
]
BETAS = [1, 392, 1.536, 6144, 0.098, 1 / 64, 0.5]


@pytest.fixture(scope="module")
def made():
    """Faint clouds about a bright mean: variances from 9 to 0.002, of every preset some told."""
    g = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(784, 60, generator=g))[0].T
    spread = 3.0 * 0.86 ** torch.arange(60)
    pixels = (0.5 + (torch.randn(700, 60, generator=g) * spread) @ basis).clamp(0, 1)
    pca = PCA(40, svd_solver="full").fit(pixels.double().numpy())
    return pixels, pca, LossLab(pixels, pixels[:3])


@pytest.fixture
def shown(page, serve, tmp_path, made):
    write_page(tmp_path, [made[2]])
    page.goto(serve(tmp_path))
    element = page.locator("loss-lab")
    element.scroll_into_view_if_needed()
    element.locator(".vae-picture").wait_for()
    return element


def choose(shown, label, text):
    shown.get_by_label(label, exact=True).select_option(label=text)


def chosen(shown, label):
    return shown.get_by_label(label, exact=True).evaluate("s => s.selectedOptions[0].label")


def slide(shown, label, key, presses=1):
    """Presses the key on a slider → its value as it is spoken."""
    slider = shown.get_by_label(label, exact=True)
    for _ in range(presses):
        slider.press(key)
    return float(slider.get_attribute("aria-valuetext").replace(",", ""))


def level_of(shown, made, A, B, D):
    """Where log-determinant and squared error balance: found anew, direction by direction."""
    return B / (2 * A), made[1].explained_variance_ * D / 784


def expect(shown, made, A, B, sigma, D, image=0, rel=0.002):
    """The four numbers, and both halves of the picture."""
    level, variances = level_of(shown, made, A, B, D)
    found = shown.locator("[data-value]").evaluate_all(
        "all => all.map(e => [e.dataset.value, e.textContent])"
    )
    values = dict(found)
    assert float(values["beta"].replace(",", "")) == pytest.approx(level / sigma**2, rel=rel)
    assert float(values["sigma"].replace(",", "")) == pytest.approx(level**0.5, rel=rel)
    # The optimal rate of a direction: the KL of its code, minimised numerically over its error.
    errors = np.exp(np.linspace(-60, 0, 600_001))
    rates = []
    for variance in variances:
        losses = A * variance * errors - B * np.log(errors) / 2
        rates.append(-np.log(errors[losses.argmin()]) / 2)
    rates = np.array(rates)
    told = int((rates > 1e-4).sum())
    assert values["told"] == f"{told} of 40"
    assert float(values["rate"]) == pytest.approx(rates.sum(), abs=0.006 + 20 * rel)

    pixels, pca, _ = made
    canvas = shown.locator(".vae-picture")
    left, right = np.split(grey_levels(canvas), 2, axis=1)
    np.testing.assert_allclose(left.ravel(), 255 * pixels[image].numpy(), atol=1)
    code = pca.transform(pixels[image : image + 1].double().numpy())[0]
    best = pca.mean_ + (np.maximum(0, 1 - level / variances) * code) @ pca.components_
    np.testing.assert_allclose(right.ravel(), 255 * best.clip(0, 1), atol=2)
    label = canvas.get_attribute("aria-label")
    assert label.startswith(f"Test image {image + 1}, and what the linear VAE tells of it: ")
    assert (f" {told} of 40 directions" if told else "nothing") in label
    chart = shown.locator(".vae-chart").get_attribute("aria-label")
    assert f"; {told} lie above the level" in chart
    return values


def formula(shown):
    return shown.get_by_text(re.compile("^loss = ")).first.inner_text()


@pytest.mark.parametrize("number", range(7))
def test_every_program(shown, made, number):
    names = shown.get_by_label("Program", exact=True).locator("option").all_inner_texts()
    if number == 0:
        assert chosen(shown, "Program") == names[0]
        choose(shown, "Program", names[1])
    choose(shown, "Program", names[number])
    values = expect(shown, made, *PRESETS[number])
    assert float(values["beta"].replace(",", "")) == pytest.approx(BETAS[number], rel=1e-3)
    assert shown.locator(".vae-spoken").inner_text() == formula(shown)
    assert shown.get_by_label("σ", exact=True).is_visible() == (number == 0)


def test_the_program_in_a_line(shown):
    lines = []
    for number in range(7):
        shown.get_by_label("Program", exact=True).select_option(index=number)
        lines.append(formula(shown))
    assert lines == [
        "loss = sum over 784 pixels of (x − m)² / (2 · 0.3²) + KL summed over 10 latents",
        "loss = mean over 784 pixels of (x − m)² + KL summed over 10 latents",
        "loss = mean over 12,288 values of (x − m)² + 0.00025 · KL summed over 128 latents",
        "loss = mean over 12,288 values of (x − m)² + KL summed over 128 latents",
        "loss = mean over 784 pixels of (x − m)² + 0.00025 · KL summed over 10 latents",
        "loss = sum over 784 pixels of (x − m)² + KL averaged over 32 latents",
        "loss = sum over 784 pixels of (x − m)² + KL summed over 10 latents",
    ]


def test_settings_by_hand(shown, made):
    choose(shown, "Over the pixels", "mean")
    assert chosen(shown, "Program") == "your own"
    expect(shown, made, 1 / 0.18 / 784, 1, 0.3, 784)
    for size, D in SIDES.items():
        choose(shown, "Image size", size)
        expect(shown, made, 1 / 0.18 / D, 1, 0.3, D)
    choose(shown, "Over the pixels", "sum")
    for size, D in SIDES.items():
        choose(shown, "Image size", size)
        expect(shown, made, 1 / 0.18, 1, 0.3, D)
    choose(shown, "Image size", "28 × 28")
    assert chosen(shown, "Program").startswith("sum of squares / 2σ²")  # back where it was
    choose(shown, "KL over the latents", "mean")
    d = slide(shown, "latents d", "ArrowRight", 3)
    assert d == 13
    expect(shown, made, 1 / 0.18, 1 / 13, 0.3, 784)
    choose(shown, "Image", "test image 3")
    expect(shown, made, 1 / 0.18, 1 / 13, 0.3, 784, image=2)


def test_the_sliders_by_key(shown, made):
    """A slider speaks two digits of its value, hence the wider tolerance."""
    sigma = slide(shown, "σ", "ArrowRight", 30)
    weight = slide(shown, "weight ω of the KL", "ArrowLeft", 25)
    assert sigma > 0.7
    assert weight < 0.1
    expect_near = {"rel": 0.1}
    level = weight * sigma**2
    found = dict(
        shown.locator("[data-value]").evaluate_all(
            "all => all.map(e => [e.dataset.value, e.textContent])"
        )
    )
    assert float(found["beta"]) == pytest.approx(weight, **expect_near)
    assert float(found["sigma"]) == pytest.approx(level**0.5, **expect_near)
    for key, end in (("Home", 1e-5), ("End", 1e4)):
        assert slide(shown, "weight ω of the KL", key) == end
        for other, noise in (("Home", 0.02), ("End", 20.0)):
            assert slide(shown, "σ", other) == noise
            expect(shown, made, 1 / (2 * noise**2), end, noise, 784)
    assert shown.get_by_role("slider", name="latents d").is_disabled()  # it decides nothing here
    before = formula(shown)
    choose(shown, "Squared error", "(x − m)²")
    assert not shown.get_by_label("σ", exact=True).is_visible()
    expect(shown, made, 1, 1e4, 1, 784)
    choose(shown, "Squared error", "(x − m)² / 2σ²")
    assert formula(shown) == before  # σ was kept
    assert before.endswith("10,000 · KL summed over 10 latents")


def test_the_chart_puts_the_dots_on_their_side_of_the_level(shown):
    shown.get_by_label("Program", exact=True).select_option(index=6)
    paths = shown.locator("path.vae-dots").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    above, below = ([float(y) for y in re.findall(r"M[\d.-]+ ([\d.-]+)h0", path)] for path in paths)
    rule = shown.locator("path.vae-line").get_attribute("d")
    at = float(re.match(r"M[\d.]+ ([\d.]+)H", rule)[1])
    assert len(above) + len(below) == 40
    assert above
    assert below
    assert max(above) <= at + 0.1
    assert min(below) >= at - 0.1


def test_your_own_by_choice_changes_nothing(shown, made):
    choose(shown, "Program", "your own")
    assert shown.locator(".vae-spoken").inner_text() == "Change any of the controls."
    assert chosen(shown, "Program").startswith("sum of squares / 2σ²")
    expect(shown, made, *PRESETS[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
def test_fits_and_is_accessible(new_page, serve, tmp_path, made, axe, size, scheme):
    write_page(tmp_path, [made[2]])
    page = new_page(viewport=size, color_scheme=scheme)
    page.goto(serve(tmp_path))
    lab = page.locator("loss-lab")
    lab.scroll_into_view_if_needed()
    lab.locator(".vae-picture").wait_for()
    for number in range(7):
        lab.get_by_label("Program", exact=True).press("ArrowDown")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], number
    choose(lab, "Squared error", "(x − m)² / 2σ²")
    assert axe(page) == []
    assert page.problems == []
