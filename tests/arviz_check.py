"""Compares ArviZ's summary of a file of draws with peaks.csv: arviz_check.py SAMPLES.nc PEAKS.csv [--drop-a-draw].

Ends with 0 where means, standard deviations, R-hat and effective sample sizes agree to 1e-6, 1 where they do not, and 3 where
ArviZ or xarray is not there. R-hat and effective sample sizes of peaks are those of quantities sorted by position; means are those
of labelled peaks.
"""

import csv
import sys
import warnings

warnings.simplefilter("ignore")
try:
    import arviz as az
    import numpy as np
    import xarray  # noqa: F401
except ImportError:
    sys.exit(3)


def main(samples, peaks, mutant):
    data = az.from_netcdf(samples)
    posterior = data.posterior.load()
    if mutant:
        posterior = posterior.isel(draw=slice(1, None))
    stats = data.sample_stats
    assert np.array_equal(stats.energies.isel(rung=-1), stats.energy) and float(stats.beta[-1]) == 1.0
    # The prior's part of lp: finite wherever the posterior has been.
    assert np.isfinite(stats.lp).all() and set(data.observed_data) >= {"x", "y"}
    frame, window = posterior.attrs["source"], posterior.attrs["window"]
    with open(peaks, newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["source"] == frame and r["window"] == window]
    if not rows:
        print("peaks.csv has no row of", frame, window)
        return False
    ordered = posterior
    if "center" in posterior and "peak" in posterior.center.dims:
        order = np.argsort(posterior.center.values, axis=-1, kind="stable")
        sort = lambda v: v.copy(data=np.take_along_axis(v.values, order, axis=-1)) if "peak" in v.dims else v
        ordered = posterior.map(sort)
    good = True
    for row in rows:
        name, peak = row["parameter"], row["peak"]
        labelled, own = (d[name].sel(peak=int(peak)) if peak else d[name] for d in (posterior, ordered))
        own = az.convert_to_dataset({"v": own.values})
        found = {
            "mean": float(labelled.mean()),
            "sd": float(labelled.std(ddof=1)),
            "rhat": float(az.rhat(own).v),
            "ess_bulk": float(az.ess(own, method="bulk").v),
            "ess_tail": float(az.ess(own, method="tail").v),
        }
        for what, value in found.items():
            off = abs(value / float(row[what]) - 1.0)
            print(f"{window} {name} {peak} {what}: {value:.9g}, keisoku {row[what]}, {off:.1e} off")
            good &= off < 1e-6
    return good


sys.exit(0 if main(sys.argv[1], sys.argv[2], "--drop-a-draw" in sys.argv) else 1)
