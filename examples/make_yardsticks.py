"""Makes the data of the two spectral yardsticks, of the ten peaks and of the straight line: needs only numpy.

Run from anywhere; it writes data.csv into yardstick-a, yardstick-b, ten-peaks and straight-line beside itself. The numbers are written so that they read
back as the same f64, and the generators are fixed by name and seed, so the files are the same on every machine.
"""

import random
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def write(folder, x, y):
    lines = ["x,y"] + [f"{float(a)!r},{float(b)!r}" for a, b in zip(x, y)]
    (HERE / folder / "data.csv").write_text("\n".join(lines) + "\n")


def yardstick_a():
    """Nagata, Sugita, Okada, Neural Networks 28 (2012) 82: three Gaussians a exp(-(b/2)(x - mu)^2), noise 0.1."""
    x = np.arange(301) / 100
    f = np.zeros_like(x)
    for a, mu, b in zip((0.587, 1.522, 1.183), (1.210, 1.455, 1.703), (95.689, 146.837, 164.469)):
        f += a * np.exp(-0.5 * b * (x - mu) ** 2)
    write("yardstick-a", x, f + 0.1 * np.random.RandomState(0).randn(301))


def yardstick_b():
    """Three Gaussians a exp(-(x - mu)^2 / 2 w^2) that overlap, noise 0.1."""
    x = np.linspace(0, 3, 300)
    f = np.zeros_like(x)
    for a, mu, w in zip((0.6, 1.5, 1.2), (1.2, 1.45, 1.7), (0.10, 0.08, 0.07)):
        f += a * np.exp(-((x - mu) ** 2) / (2 * w**2))
    noise = random.Random(20260804)
    write("yardstick-b", x, f + np.array([noise.gauss(0, 0.1) for _ in range(300)]))


def ten_peaks():
    """Ten Gaussians a exp(-(b/2)(x - mu)^2), noise 0.1: several are closer than their widths."""
    x = np.arange(301) / 100
    a = (0.587, 1.522, 1.183, 0.864, 0.574, 0.388, 0.53, 0.3, 0.6, 0.7)
    mu = (0.75, 0.84, 0.95, 1.71, 1.82, 1.95, 1.12, 1.30, 1.45, 2.1)
    b = (500.689, 1046.837, 764.469, 550.689, 562.837, 634.469, 600.689, 664.469, 700.689, 746.837)
    f = np.zeros_like(x)
    for height, centre, precision in zip(a, mu, b):
        f += height * np.exp(-0.5 * precision * (x - centre) ** 2)
    write("ten-peaks", x, f + 0.1 * np.random.RandomState(0).randn(301))


def straight_line():
    """y = 0.8 x + 0.1 with noise 0.1; least squares gives slope 0.812272330 and intercept 0.106045676."""
    x = np.linspace(-1, 1, 50)
    y = 0.8 * x + 0.1 + 0.1 * np.random.default_rng(12345).standard_normal(50)
    write("straight-line", x, y)
    slope, intercept = np.polyfit(x, y, 1)
    assert abs(slope - 0.812272330) < 1e-8 and abs(intercept - 0.106045676) < 1e-8


if __name__ == "__main__":
    yardstick_a()
    yardstick_b()
    ten_peaks()
    straight_line()
