#!/usr/bin/env python3
"""Free energies of the yardsticks as functions of the noise, by importance sampling: the references of tests/suite/noise.rs.

Usage: noise.py a|b RESULTS [DRAWS]

RESULTS is a results folder of one candidate with K >= 2 peaks, run with sigma near the least F. Its draws only place the proposals: a mixture of
eight Student densities fitted to them, and the prior for a tenth. The likelihood, the priors and all constants are written here anew. Needs numpy,
scipy, xarray and h5netcdf. Prints F with its standard error at s^2 = .01 and where F is least.
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from scipy import stats
from scipy.special import logsumexp

STUDENT, COMPONENTS, FROM_PRIOR = 6, 8, 0.1


class A:
    """Heights and precisions gamma, both in logarithms; centres normal."""

    width = "b"
    log = (True, False, True)
    priors = (stats.gamma(5, scale=1 / 5), stats.norm(1.5, np.sqrt(0.2)), stats.gamma(5, scale=1 / 0.04))

    @staticmethod
    def shape(x, centre, width):
        return np.exp(-0.5 * width * (x - centre) ** 2)


class B:
    """Everything uniform."""

    width = "sigma"
    log = (False, False, False)
    priors = (stats.uniform(0, 2), stats.uniform(0.8, 1.3), stats.uniform(0.03, 0.17))

    @staticmethod
    def shape(x, centre, width):
        return np.exp(-0.5 * ((x - centre) / width) ** 2)


def fitted(points, rng):
    """Weights, means and covariances of normal components, by expectation and maximisation."""
    n, d = points.shape
    weight, mean = np.full(COMPONENTS, 1 / COMPONENTS), points[rng.choice(n, COMPONENTS, replace=False)]
    covariance = np.array([np.cov(points.T)] * COMPONENTS)
    for _ in range(200):
        ln = np.array([np.log(w) + stats.multivariate_normal(m, c).logpdf(points) for w, m, c in zip(weight, mean, covariance)])
        share = np.exp(ln - logsumexp(ln, axis=0))
        total = share.sum(axis=1) + 1e-9
        weight = total / total.sum()
        mean = (share @ points) / total[:, None]
        for k in range(COMPONENTS):
            apart = points - mean[k]
            covariance[k] = (share[k][:, None] * apart).T @ apart / total[k] + 1e-9 * np.diag(points.var(axis=0))
    return weight, mean, covariance


def main():
    yardstick = {"a": A, "b": B}[sys.argv[1]]
    draws = int(sys.argv[3]) if len(sys.argv) > 3 else 400_000
    rng = np.random.default_rng(1)
    example = Path(__file__).parents[2] / f"examples/yardstick-{sys.argv[1]}/data.csv"
    x, y = np.loadtxt(example, delimiter=",", skiprows=1, unpack=True)[:2]
    posterior = xr.open_dataset(Path(sys.argv[2]) / "samples.nc", group="posterior", engine="h5netcdf")
    values = [posterior[name].values for name in ("height", "center", yardstick.width)]
    peaks = values[0].shape[-1]
    values = [v.reshape(-1, peaks) for v in values]
    order = np.argsort(values[1], axis=1)
    values = [np.take_along_axis(np.log(v) if log else v, order, axis=1) for v, log in zip(values, yardstick.log)]
    weight, mean, covariance = fitted(np.concatenate(values, axis=1), rng)

    def ln_prior(points):
        total = 0
        for i, (prior, log) in enumerate(zip(yardstick.priors, yardstick.log)):
            phi = points[:, i * peaks : (i + 1) * peaks]
            total = total + (prior.logpdf(np.exp(phi)) + phi if log else prior.logpdf(phi)).sum(axis=1)
        return total

    parts = [stats.multivariate_t(m, 1.3 * c, df=STUDENT, seed=rng) for m, c in zip(mean, covariance)]
    share = np.append((1 - FROM_PRIOR) * weight, FROM_PRIOR)
    counts = rng.multinomial(draws, share)
    from_prior = [np.log(p.rvs((counts[-1], peaks), random_state=rng)) if log else p.rvs((counts[-1], peaks), random_state=rng)
                  for p, log in zip(yardstick.priors, yardstick.log)]
    points = np.concatenate([part.rvs(n) for part, n in zip(parts, counts)] + [np.concatenate(from_prior, axis=1)])
    ln_proposal = logsumexp([np.log(s) + part.logpdf(points) for s, part in zip(share, parts)] + [np.log(FROM_PRIOR) + ln_prior(points)], axis=0)
    # One order of the peaks stands for all K!.
    centres = points[:, peaks : 2 * peaks]
    ordered = (np.diff(centres, axis=1) > 0).all(axis=1)
    ln_weight = np.where(ordered, ln_prior(points) - ln_proposal + np.log(float(np.prod(np.arange(1, peaks + 1)))), -np.inf)
    squares = np.empty(len(points))
    for at in range(0, len(points), 10_000):
        some = points[at : at + 10_000]
        curve = 0
        for k in range(peaks):
            height, centre, width = (np.exp(some[:, i * peaks + k]) if log else some[:, i * peaks + k] for i, log in enumerate(yardstick.log))
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                curve = curve + height[:, None] * yardstick.shape(x, centre[:, None], width[:, None])
        squares[at : at + 10_000] = ((y - curve) ** 2).sum(axis=1)
    squares[~np.isfinite(squares)] = np.inf

    def free_energy(s2):
        ln = ln_weight - 0.5 * squares / s2 - 0.5 * len(x) * np.log(2 * np.pi * s2)
        largest = ln.max()
        relative = np.exp(ln - largest)
        value = -(largest + np.log(relative.mean()))
        return value, relative.std() / relative.mean() / np.sqrt(len(ln)), relative.sum() ** 2 / (relative**2).sum()

    grid = 0.01 * np.exp(np.linspace(-0.2, 1.5, 3401))
    least = grid[np.argmin([free_energy(s2)[0] for s2 in grid[::50]]) * 50]
    grid = least * np.exp(np.linspace(-0.03, 0.03, 121))
    least = grid[np.argmin([free_energy(s2)[0] for s2 in grid])]
    for s2 in (least, 0.01):
        value, error, size = free_energy(s2)
        print(f"K = {peaks}: s2 {s2:.5f}, F {value:.4f} +- {error:.4f}, of {size:.0f} effective draws")


if __name__ == "__main__":
    main()
