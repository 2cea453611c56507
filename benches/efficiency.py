"""keisoku against other samplers: effective draws a second, and time to a free energy. Yardstick A, three peaks.

usage: python3 benches/efficiency.py [--peers FILE] [--keisoku target/release/keisoku] [--ess 40000] [--json FILE]

keisoku's figure is the smallest bulk effective sample size of the sorted positions at beta = 1, over all copies, divided by the
wall time of sampling: burn-in counts, and may be a quarter of the sweeps at most; starting the program and reading the data do
not. ArviZ computes the size from samples.nc, and keisoku's own must agree. Records are thinned where they would grow beyond four
times the draws that were asked for: the size is that of the draws kept, the time that of all sweeps, so that thinning can only
make the figure smaller.

FILE is a Python script that measures another sampler on the same data and priors: `FILE --k 3 --peers NAME` prints one line of
JSON with `wall` in seconds, and of `ess_per_s` (sorted positions, as above) and of `logZ`, `logZ_sd` what the sampler has. Names
are numpy (exchange Monte Carlo, one numpy call an update of all rungs), jax (the same, compiled, eight chains at once) and dynesty
(nested sampling). It runs in the Python of this script. Each runs between two runs of keisoku, which it is compared with: a
machine that others use changes its speed. Without FILE keisoku is measured alone.

    python3 -m venv v && v/bin/pip install numpy scipy jax dynesty arviz
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import arviz
import numpy as np

ROOT = Path(__file__).resolve().parent.parent

# Free energy of yardstick A at K = 3 from four long runs of an independent program; known to about .02.
REFERENCE = -244.228
# The error of the free energy that times are compared at, in nats.
ERROR = 0.05
# What is wanted: effective draws a second against each, and time to the error of a free energy against nested sampling.
WANTED = {"jax": 30, "numpy": 100, "dynesty": 100}


def spec(folder, copies, ess, free_energy_se):
    """Yardstick A with three peaks and other targets."""
    text = (ROOT / "examples/yardstick-a/spec.toml").read_text()
    head = text.split("[run]")[0]
    assert '"data.csv"' in head and '"1..6"' in head
    data = json.dumps(str(ROOT / "examples/yardstick-a"))
    head = head.replace("[data]\n", f"[data]\nfolder = {data}\n").replace('"1..6"', "3")
    run = f"[run]\ncopies = {copies}\ntargets = {{ ess = {ess}, free_energy_se = {free_energy_se} }}\n"
    path = folder / "spec.toml"
    path.write_text(head + run)
    return path


def run(arguments, copies, ess, free_energy_se):
    """One run of keisoku: its times, its answer and its file of draws."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "out"
        path = spec(folder, copies, ess, free_energy_se)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [arguments.keisoku, "run", path, "--out", out, "--engine", "cpu", "--quiet"]
        # 2: a target was missed; the figures are of what was reached, and the table shows it.
        code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        assert code in (0, 2), f"keisoku ended with {code}"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        info = json.loads((out / "run-info.json").read_text())
        answer = json.loads((out / "result.json").read_text())["frames"][0]["windows"][0]["candidates"][0]
        draws = arviz.from_netcdf(out / "samples.nc").load()
    return {
        "sampling_s": info["sampling_s"],
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "threads": info["threads"],
        "device": info["device"],
        "answer": answer,
        "positions": np.sort(draws.posterior["center"].values, axis=-1),
        "interval": int(draws.posterior.attrs["sweeps_between_draws"]),
    }


def efficiency(arguments):
    """Effective draws a second."""
    made = run(arguments, arguments.copies, arguments.ess, ERROR)
    figures = made["answer"]["figures"]
    sizes = arviz.ess(arviz.convert_to_dataset({"position": made["positions"]}), method="bulk")["position"].values
    # keisoku's own sizes are of peaks by label; at K = 3 labels and positions are the same in all but a few draws.
    own = [p["ess_bulk"] for p in made["answer"]["parameters"] if p["parameter"] == "center"]
    burn_in = figures["burn_in"] / (figures["burn_in"] + figures["sweeps"])
    assert np.allclose(sizes, own, rtol=0.02), f"ArviZ gets {sizes}, keisoku {own}"
    assert burn_in <= 0.25, f"burn-in is {burn_in:.2f} of the run: ask for more draws"
    chains, rows, _ = made["positions"].shape
    return {
        "ess": float(sizes.min()),
        "ess_own": min(own),
        "sampling_s": made["sampling_s"],
        "cpu_s": made["cpu_s"],
        "ess_per_s": float(sizes.min()) / made["sampling_s"],
        "ess_per_cpu_s": float(sizes.min()) / made["cpu_s"],
        "burn_in_share": burn_in,
        "copies": chains,
        "rows": rows,
        "interval": made["interval"],
        "verdict": made["answer"]["verdict"],
        "threads": made["threads"],
        "device": made["device"],
    }


def free_energy(arguments):
    """Time to a standard error of the free energy of ERROR; a larger one is scaled, a smaller one is not."""
    made = run(arguments, 8, 100, ERROR)
    value, se = made["answer"]["free_energy"], made["answer"]["free_energy_se"]
    return {
        "free_energy": value,
        "free_energy_se": se,
        "off_by": value - REFERENCE,
        "sampling_s": made["sampling_s"],
        "seconds_to_error": made["sampling_s"] * max(1.0, se / ERROR) ** 2,
    }


def peer(arguments, name):
    """One run of another sampler, with the processor time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.time()
    out = subprocess.run(
        [sys.executable, arguments.peers, "--k", "3", "--peers", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    ).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads(out.strip().splitlines()[-1])
    assert "error" not in found, f"{name}: {found['error']}"
    found["cpu_s_with_start"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found["wall_s_with_start"] = time.time() - start
    if "logZ_sd" in found:
        found["seconds_to_error"] = found["wall"] * (found["logZ_sd"] / ERROR) ** 2
    return found


def shown(what, mine, its, wanted, digits):
    ratio = mine / its if what.startswith("draws") else its / mine
    print(f"{what:<42} {mine:>12.{digits}f} {its:>12.{digits}f} {ratio:>9.0f} {wanted:>8}  {'yes' if ratio >= wanted else 'NO'}", flush=True)
    return ratio


def main():
    parser = argparse.ArgumentParser(description="keisoku against other samplers")
    parser.add_argument("--peers", help="script that measures the others")
    parser.add_argument("--keisoku", default=str(ROOT / "target/release/keisoku"))
    parser.add_argument("--ess", type=float, default=40000, help="effective draws to ask for")
    parser.add_argument("--copies", type=int, default=16)
    parser.add_argument("--json", help="file for all figures")
    arguments = parser.parse_args()
    everything = {}
    first = efficiency(arguments)
    print(f"keisoku: {first['threads']} threads, {first['device']}; {first['copies']} copies of {first['rows']} draws, {first['interval']} sweeps apart,")
    print(f"burn-in {100 * first['burn_in_share']:.0f} % of the sweeps, verdict {' '.join(first['verdict']) or 'ok'}")
    print(f"{first['ess']:.0f} effective draws by ArviZ, {first['ess_own']:.0f} by keisoku, {first['sampling_s']:.1f} s,", end=" ")
    print(f"{first['ess_per_s']:.0f} a second, {first['ess_per_cpu_s']:.0f} a second of processor time", flush=True)
    everything["keisoku"] = [first]
    if arguments.peers:
        print(f"\n{'':<42} {'keisoku':>12} {'other':>12} {'ratio':>9} {'wanted':>8}", flush=True)
        for name in ("numpy", "jax"):
            its = peer(arguments, name)
            everything["keisoku"].append(efficiency(arguments))
            mine = float(np.mean([run["ess_per_s"] for run in everything["keisoku"][-2:]]))
            its["ratio"] = shown(f"draws a second, {name}", mine, its["ess_per_s"], WANTED[name], 2)
            everything[name] = its
        runs = [free_energy(arguments)]
        its = peer(arguments, "dynesty")
        runs.append(free_energy(arguments))
        mine = float(np.mean([run["seconds_to_error"] for run in runs]))
        its["ratio"] = shown(f"seconds to an error of {ERROR} nat, dynesty", mine, its["seconds_to_error"], WANTED["dynesty"], 2)
        everything["dynesty"] = its
        everything["keisoku_free_energy"] = runs
        print(f"free energy {runs[0]['free_energy']:.3f} ± {runs[0]['free_energy_se']:.3f}, {-its['logZ']:.3f} ± {its['logZ_sd']:.3f}, reference {REFERENCE}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
