"""Opens a file of draws as a notebook would: check.py SAMPLES.nc PEAKS.csv [--drop-a-draw].

Ends with 0 where all is as promised, 1 where it is not, and 3 where a package is not there (arviz below 1, xarray, h5netcdf, pandas).

Means, standard deviations, R-hat and effective sample sizes must agree with peaks.csv to 1e-6: both sides use the formulas of Vehtari et al.
(2021) on the same numbers, so that what is left is the rounding of the file to nine digits, 5e-9, and of normal quantiles in R-hat, some 1e-8.
R-hat and effective sample sizes of peaks are those of quantities sorted by position; means are those of labelled peaks.
"""

import sys
import warnings

warnings.simplefilter("ignore")
try:
    import matplotlib

    matplotlib.use("Agg")
    import arviz as az
    import h5netcdf  # noqa: F401
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd
    import xarray as xr
except ImportError as missing:
    print(missing)
    sys.exit(3)

TOLERANCE = 1e-6
GROUPS = {"posterior", "sample_stats", "observed_data", "constant_data", "posterior_predictive", "log_likelihood", "curves"}
COLUMNS = (
    "frame axis window candidate k peak parameter unit mean sd q025 q160 q500 q840 q975 rhat ess_bulk ess_tail source term modes".split()
)
good = True


def check(what, holds, detail=""):
    """Notes what does not hold."""
    global good
    print("ok   " if holds else "WRONG", what, detail)
    good &= bool(holds)


def groups(samples, data):
    """What is in the file: groups, dimensions, coordinates, attributes."""
    check("groups", GROUPS <= set(data.groups()), sorted(data.groups()))
    posterior, stats = data.posterior, data.sample_stats
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    for name, variable in posterior.items():
        check(f"posterior.{name}", variable.dims[:2] == ("chain", "draw") and variable.dims[2:] in [(), ("peak",)], variable.dims)
    check("peaks count from 1", "peak" not in posterior.dims or int(posterior.peak[0]) == 1)
    check("energies", stats.energies.dims == ("chain", "draw", "rung") and "beta" in stats.energies.coords)
    check("the last rung is the posterior's", np.array_equal(stats.energies.isel(rung=-1), stats.energy) and float(stats.beta[-1]) == 1)
    # The prior's part of lp: finite wherever the posterior has been.
    check("lp", np.isfinite(stats.lp).all() and stats.lp.shape == (chains, draws))
    observed, new, likelihood = data.observed_data.y, data.posterior_predictive.y, data.log_likelihood.y
    check("x is a coordinate of y", "x" in observed.coords and "x" in new.coords and observed.dims == ("point",))
    check("new data", new.dims == ("chain", "draw", "point") and new.sizes["chain"] == chains and new.sizes["draw"] <= 25)
    # Draws of the smaller groups are found among the posterior's by their numbers. The energies are an engine's, within .01 nat of the truth.
    off = abs(likelihood.sum("point") + stats.energy.sel(draw=likelihood.draw)).max()
    check("likelihoods of points add up to -energy", off < 0.01, float(off))
    expected = data.curves.expectation
    check("expected curve", expected.dims == ("quantile", "point") and list(expected["quantile"].values) == [0.025, 0.16, 0.5, 0.84, 0.975])
    terms = [v for name, v in data.curves.items() if name.startswith("term_")]
    total = sum(v.values for v in terms)
    inside = (total >= expected.isel(quantile=0)) & (total <= expected.isel(quantile=-1))
    check("terms add up to the expected curve", len(terms) > 0 and bool(inside.all()), [v.attrs["long_name"] for v in terms])
    for name in ("seed", "engine", "frame", "window", "candidate", "created_by"):
        check(f"attribute {name}", posterior.attrs.get(name))
    with xr.open_datatree(samples, engine="h5netcdf") as tree:
        check("xarray alone opens it", GROUPS <= set(tree.children))


def peaks_of(path):
    """peaks.csv as a tidy table: one row a parameter, numbers as numbers."""
    table = pd.read_csv(path)
    check("columns of peaks.csv", list(table.columns[: len(COLUMNS)]) == COLUMNS)
    numbers = ["frame", "mean", "sd", "q025", "q160", "q500", "q840", "q975", "rhat", "ess_bulk", "ess_tail", "modes"]
    check("numbers are numbers", all(pd.api.types.is_numeric_dtype(table[c]) for c in numbers))
    check("one row a parameter", not table.duplicated(["frame", "window", "candidate", "term", "parameter", "peak"]).any())
    centers = table[table.parameter == "center"].pivot_table(index="frame", columns="peak", values="mean")
    check("a track of every peak in one line", len(centers) == table[table.parameter == "center"].frame.nunique())
    return table


def summaries(posterior, table):
    """Means, deviations, R-hat and effective sample sizes against peaks.csv."""
    rows = table[(table.source == posterior.attrs["source"]) & (table.window == posterior.attrs["window"])]
    check("peaks.csv has the frame", len(rows) > 0)
    ordered = posterior
    if "center" in posterior and "peak" in posterior.center.dims:
        order = np.argsort(posterior.center.values, axis=-1, kind="stable")
        ordered = posterior.map(
            lambda v: v.copy(data=np.take_along_axis(v.values, order, axis=-1)) if "peak" in v.dims else v
        )
    labelled, by_position = (az.summary(d, round_to="none") for d in (posterior, ordered))
    # With a handful of digits, as everyone calls it first.
    check("az.summary", len(az.summary(posterior)) == len(labelled))
    for row in rows.itertuples():
        name = row.parameter if np.isnan(row.peak) else f"{row.parameter}[{int(row.peak)}]"
        own, sorted_ = labelled.loc[name], by_position.loc[name]
        found = {
            "mean": own["mean"],
            "sd": own["sd"],
            "rhat": sorted_["r_hat"],
            "ess_bulk": sorted_["ess_bulk"],
            "ess_tail": sorted_["ess_tail"],
        }
        for what, value in found.items():
            off = abs(value / getattr(row, what) - 1)
            check(f"{name} {what}", off < TOLERANCE, f"{value:.9g}, keisoku {getattr(row, what)}, {off:.1e} off")


def first_calls(data):
    """What people call first."""
    loo = az.loo(data)
    check("az.loo", np.isfinite(loo.elpd_loo) and loo.n_data_points == data.observed_data.sizes["point"], f"{loo.elpd_loo:.2f}")
    names = list(data.posterior.data_vars)[:2]
    calls = {
        "plot_trace": dict(var_names=names),
        "plot_posterior": dict(var_names=names),
        "plot_forest": dict(var_names=names),
        "plot_rank": dict(var_names=names[:1]),
        "plot_autocorr": dict(var_names=names[:1], max_lag=20),
        "plot_ess": dict(var_names=names[:1]),
        "plot_ppc": dict(num_pp_samples=20),
        "plot_energy": dict(),
    }
    if len(names) > 1:
        calls["plot_pair"] = dict(var_names=names)
    for name, arguments in calls.items():
        try:
            getattr(az, name)(data, show=False, **arguments)
            check(f"az.{name}", True)
        except Exception as error:
            check(f"az.{name}", False, repr(error))
        plt.close("all")


def main(samples, peaks, mutant):
    data = az.from_netcdf(samples)
    groups(samples, data)
    posterior = data.posterior.load()
    summaries(posterior.isel(draw=slice(1, None)) if mutant else posterior, peaks_of(peaks))
    if not mutant:
        first_calls(data)


main(sys.argv[1], sys.argv[2], "--drop-a-draw" in sys.argv)
sys.exit(0 if good else 1)
