#!/usr/bin/env python3
"""Are the checks seen to fail? Each mutant breaks one line of the sources; the tests named beside it must then fail, and pass without it.

`python3 tests/mutants.py [NAME …]` copies the sources into a folder of its own, so that the working tree stays as it is, and takes some
minutes: every mutant is a build.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "mutants"

# Name, file, what stands there (once), what is put in its place, the tests that must see it.
MUTANTS = [
    (
        "a prior that is not normalised",
        "src/prior.rs",
        "Self::Uniform { low, high } => inside(x, low, high, -(high - low).ln()),",
        "Self::Uniform { low, high } => inside(x, low, high, 0.0),",
        ["--test", "suite", "priors::every_density_integrates_to_one"],
    ),
    (
        "a missing Jacobian",
        "src/prior.rs",
        "let there = shape * delta[i] - rate",
        "let there = (shape - 1.0) * delta[i] - rate",
        ["--lib", "walks_leave_the_joint_distribution"],
    ),
    (
        "a missing Jacobian of a chart",
        "src/sampler/normal.rs",
        "chart.ln_slope(theta[i])",
        "0.0 * chart.ln_slope(theta[i])",
        ["--lib", "steps_of_the_whole_leave_the_joint_distribution"],
    ),
    (
        "fresh draws that forget the orders of peaks",
        "src/sampler/normal.rs",
        "self.ln_orders + self",
        "0.0 * self.ln_orders + self",
        ["--lib", "fresh_draws_and_the_ladder_tell_the_same"],
    ),
    (
        "fresh draws that forget the norm of an integrated scale",
        "src/noise/mod.rs",
        ".then_some(beta * constants - whole)",
        ".then_some(beta * constants - 0.0 * whole)",
        ["--lib", "fresh_draws_and_the_ladder_tell_the_same"],
    ),
    (
        "errors in which fresh draws pull the wrong way",
        "src/evidence.rs",
        "own.fresh / all.fresh - own.own / all.own",
        "own.own / all.own - own.fresh / all.fresh",
        ["--lib", "leaving_out_a_block_moves_every_rung_as_told"],
    ),
    (
        "a swap ratio of the wrong sign",
        "src/sampler/chains.rs",
        "(self.betas[place + 1] - self.betas[place]) * (ub - ua)",
        "(self.betas[place + 1] - self.betas[place]) * (ua - ub)",
        ["--test", "suite", "closed_forms::a_polynomial_in_two_dimensions_comes_out_exactly"],
    ),
    (
        "zero likelihood refused at beta = 0",
        "src/sampler/chains.rs",
        "        if self.betas[place] > 0.0 {\n            return Trial::Refused;\n        }",
        "        if self.betas[place] >= 0.0 {\n            return Trial::Refused;\n        }",
        ["--test", "suite", "closed_forms::a_fifth_of_the_prior_is_inadmissible"],
    ),
    (
        "copies beside others that draw other numbers than alone",
        "src/random.rs",
        "all.walkers.extend(0..walkers as u32);",
        "let from = all.walkers.len() as u32;\n            all.walkers.extend(from..from + walkers as u32);",
        ["--lib", "copies_side_by_side_are_what_they_are_alone"],
    ),
    (
        "an exchange that leaves misfits behind",
        "src/sampler/chains.rs",
        "self.misfits.swap(a * m + j, b * m + j)",
        "()",
        ["--lib", "what_is_known_of_a_state_is_of_that_state"],
    ),
    (
        "an engine that is asked about another walker",
        "src/sampler/walks.rs",
        "self.walker_of[first + lane]",
        "self.walker_of[first + lane / 2 * 2]",
        ["--lib", "what_is_known_of_a_state_is_of_that_state"],
    ),
    (
        "shapes of the rung beside",
        "src/sampler/adapt.rs",
        "first % self.period..]",
        "(first + 1) % self.period..]",
        ["--lib", "every_copy_has_the_shapes_of_its_rungs"],
    ),
    (
        "a record that takes another copy's states",
        "src/sampler/chains/pending.rs",
        "&self.draws[(sweep * copies + copy) * d..][..d]",
        "&self.draws[sweep * copies * d..][..d]",
        ["--lib", "copies_side_by_side_are_what_they_are_alone"],
    ),
    (
        "walkers that begin their sweeps anew with every turn",
        "src/sampler/tile.rs",
        "some(works, first..end, settings)",
        "some(works, 0..end - first, settings)",
        ["--test", "suite", "batches::what_comes_of_a_problem_does_not_depend_on_who_takes_turns_with_it"],
    ),
    (
        "walkers abreast that get each other's coefficients",
        "src/models/mod.rs",
        "own[i] = theta[i][lane];",
        "own[i] = theta[i][lane ^ 1];",
        ["--test", "suite", "golden::walkers_abreast_are_prepared_as_each_is_alone"],
    ),
    (
        "a noise scale drawn from another conditional",
        "src/noise/scale.rs",
        "    fn shape(&self, beta: f64) -> f64 {\n        0.5 * beta * self.points\n",
        "    fn shape(&self, beta: f64) -> f64 {\n        0.5 * beta * (self.points - 2.0)\n",
        ["--test", "suite", "lines::a_line_of_unknown_noise_comes_out_exactly"],
    ),
    (
        "stated errors a third of what they are",
        "src/evidence.rs",
        "    (without.iter().zip(sizes).map(each).sum::<f64>() / without.len() as f64).sqrt()\n",
        "    (without.iter().zip(sizes).map(each).sum::<f64>() / without.len() as f64).sqrt() / 3.0\n",
        ["--test", "suite", "noise::the_line_has_its_closed_form_and_honest_errors"],
    ),
]


def tests(arguments):
    command = ["cargo", "test", "--quiet", *arguments]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(COPY / "target")}
    done = subprocess.run(command, cwd=COPY / "tree", env=environment, capture_output=True, text=True)
    if "test result" not in done.stdout:
        sys.exit(f"the tests cannot be run:\n{done.stdout}{done.stderr}")
    ran = sum(int(line.split(" passed")[0].split()[-1]) + int(line.split(" failed")[0].split()[-1])
              for line in done.stdout.splitlines() if line.startswith("test result"))
    if ran == 0:
        sys.exit(f"no test is called {arguments[-1]}")
    return done.returncode == 0


def main():
    wanted = sys.argv[1:]
    tree = COPY / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("target", ".git", "results"), symlinks=True)
    survivors = []
    for name, file, before, after, arguments in MUTANTS:
        if wanted and not any(word in name for word in wanted):
            continue
        path = tree / file
        source = path.read_text()
        if source.count(before) != 1:
            sys.exit(f"{name}: {file} has that line {source.count(before)} times: bring the mutant up to date")
        sound = tests(arguments)
        path.write_text(source.replace(before, after))
        caught = not tests(arguments)
        path.write_text(source)
        print(f"{'caught' if sound and caught else 'SURVIVES' if sound else 'FAILS ANYWAY':>12}  {name}: {arguments[-1]}", flush=True)
        if not (sound and caught):
            survivors.append(name)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
