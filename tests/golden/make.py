"""Golden values of every model, from mpmath at 30 digits and written as the `golden` functions of src/models/*.rs.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install mpmath numpy scipy
    /tmp/golden/bin/python tests/golden/make.py            # prints them
    /tmp/golden/bin/python tests/golden/make.py --write    # puts them into the model files
    /tmp/golden/bin/python tests/golden/make.py --voigt    # the expansion of the Voigt peak and its errors

Every curve is written here from its definition (the Voigt peak from erfc of a complex number, the Mössbauer site from the
12-level textbook matrices and Wigner's formula), on the raw axis: nothing is taken over from the Rust files.
"""

import re
import sys
from pathlib import Path

from mpmath import mp, mpc, mpf

mp.dps = 30
LN2 = mp.log(2)
MODELS = Path(__file__).resolve().parents[2] / "src" / "models"


# --- curves of unit height, as functions of the distance from the centre ---


def gaussian(d, fwhm):
    return mp.exp(-4 * LN2 * d**2 / fwhm**2)


def lorentzian(d, fwhm):
    return 1 / (1 + 4 * d**2 / fwhm**2)


def pseudo_voigt(d, fwhm, eta):
    return eta * lorentzian(d, fwhm) + (1 - eta) * gaussian(d, fwhm)


def split_pseudo_voigt(d, fwhm, asymmetry, eta):
    return pseudo_voigt(d, fwhm * (1 - asymmetry if d < 0 else 1 + asymmetry), eta)


def pearson7(d, fwhm, m):
    return (1 + 4 * (2 ** (1 / mpf(m)) - 1) * d**2 / fwhm**2) ** (-m)


def voigt(d, fwhm, lorentz_fwhm):
    """Unit area, not unit height: Re w(z)/(σ√(2π)), w(z) = exp(−z²) erfc(−iz)."""
    sigma = fwhm / (2 * mp.sqrt(2 * LN2))
    z = mpc(d, mpf(lorentz_fwhm) / 2) / (sigma * mp.sqrt(2))
    return mp.re(mp.exp(-z * z) * mp.erfc(-1j * z)) / (sigma * mp.sqrt(2 * mp.pi))


def area(shape, parameters):
    """Area under a shape of unit height, by quadrature: no closed form is trusted."""
    if shape is voigt:
        return 1 / voigt(mpf(0), *parameters)
    w = parameters[0]
    # u = w sinh(s): heavy tails become exponential ones.
    return mp.quad(lambda s: shape(w * mp.sinh(s), *parameters) * w * mp.cosh(s), [-60, -10, -3, -1, 0, 1, 3, 10, 60])


def peak(shape):
    def curve(x, theta, height, _window):
        amplitude, center, *rest = theta
        unit = shape(mpf(0), *rest)
        top = amplitude if height else amplitude / area(shape, rest)
        return top * shape(x - center, *rest) / unit

    return curve


def doublet(shape):
    single = peak(shape)

    def curve(x, theta, height, window):
        first, second = (mpf(v) for v in window.get("lambdas", ("1.5405929", "1.5444274")))
        amplitude, center, *rest = theta
        other = 2 * mp.asin(second / first * mp.sin(center * mp.pi / 360)) * 180 / mp.pi
        return single(x, theta, height, window) + single(x, [amplitude / 2, other, *rest], height, window)

    return curve


# --- backgrounds ---


def chebyshev(x, theta, _height, window):
    n = len(theta)
    nodes = [window["mid"] + window["half"] * mp.cos(mp.pi * (j + mpf(1) / 2) / n) for j in range(n)]
    total = mpf(0)
    for j, level in enumerate(theta):
        total += level * mp.fprod((x - nodes[k]) / (nodes[j] - nodes[k]) for k in range(n) if k != j)
    return total


def power(x, theta, _height, window):
    return theta[0] * window["mid"] / x


def exponential(x, theta, _height, window):
    left, right = theta
    return left * (right / left) ** ((x - window["mid"] + window["half"]) / (2 * window["half"]))


def line(x, theta, _height, _window):
    return theta[0] * x + theta[1]


# --- Mössbauer ---


def spin(j):
    """Iz, I+ of spin j in the basis m = j … −j."""
    m = [j - k for k in range(int(2 * j) + 1)]
    z = mp.diag(m)
    plus = mp.matrix(len(m))
    for k in range(1, len(m)):
        plus[k - 1, k] = mp.sqrt(j * (j + 1) - m[k] * (m[k] + 1))
    return z, plus


def clebsch(m_ground, q, m_excited):
    """⟨½ m 1 q | 3/2 M⟩ by Racah's formula."""
    if m_ground + q != m_excited:
        return mpf(0)
    f = lambda v: mp.factorial(v)
    a, b, c = mpf(1) / 2, mpf(1), mpf(3) / 2
    pre = mp.sqrt((2 * c + 1) * f(a + b - c) * f(a - b + c) * f(-a + b + c) / f(a + b + c + 1))
    pre *= mp.sqrt(
        f(a + m_ground) * f(a - m_ground) * f(b + q) * f(b - q) * f(c + m_excited) * f(c - m_excited)
    )
    total = mpf(0)
    for k in range(6):
        arguments = [k, a + b - c - k, a - m_ground - k, b + q - k, c - b + m_ground + k, c - a - q + k]
        if min(arguments) >= 0:
            total += (-1) ** k / mp.fprod(f(v) for v in arguments)
    return pre * total


def mossbauer_lines(quadrupole, field, eta, theta, phi):
    n = (mp.sin(theta) * mp.cos(phi), mp.sin(theta) * mp.sin(phi), mp.cos(theta))

    def hamiltonian(j, quadrupole, moment):
        z, plus = spin(j)
        minus = plus.T
        x, y = (plus + minus) / 2, (plus - minus) / mpc(0, 2)
        one = mp.eye(z.rows)
        gradient = quadrupole * (3 * z * z - j * (j + 1) * one + eta * (x * x - y * y))
        return gradient + moment * field * (n[0] * x + n[1] * y + n[2] * z)

    half, three_halves = mpf(1) / 2, mpf(3) / 2
    e, u = mp.eighe(hamiltonian(three_halves, quadrupole, mpf("0.067899")))
    g, v = mp.eighe(hamiltonian(half, 0, -mpf("0.118872")))
    lines = []
    for i in range(4):
        for j in range(2):
            weight = mpf(0)
            for q in (-1, 0, 1):
                weight += abs(
                    mp.fsum(
                        mp.conj(u[a, i]) * clebsch(half - b, q, three_halves - a) * v[b, j]
                        for a in range(4)
                        for b in range(2)
                    )
                ) ** 2
            lines.append((e[i] - g[j], weight / 4))
    return lines


def mossbauer(x, theta, height, _window):
    baseline, amount, shift, quadrupole, field, eta, polar, azimuth, fwhm = theta
    top = amount if height else amount / (mp.pi * fwhm / 2)
    lines = mossbauer_lines(quadrupole, field, eta, polar, azimuth)
    return -baseline * top * mp.fsum(w * lorentzian(x - shift - v, fwhm) for v, w in lines)


# --- what is asked of each: windows by name, x, and rows of (window, θ) ---

BRAGG = {
    "area": {"mid": 30.0, "half": 1.5, "scale": 250.0},
    "height": {"mid": 30.0, "half": 1.5, "scale": 250.0, "height": True},
}
TUBES = {
    "copper": {"mid": 30.0, "half": 1.5, "scale": 250.0},
    "molybdenum": {"mid": 30.0, "half": 1.5, "scale": 250.0, "height": True, "wavelength": 0.70931715, "lambdas": ("0.70931715", "0.713607")},
    "other": {"mid": 120.0, "half": 1.5, "scale": 3.0, "wavelength": 1.5, "wavelength2": 1.503, "lambdas": ("1.5", "1.503")},
}
BRAGG_X = [28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5]
FAR = {"near": {"mid": 8.0, "half": 5.0, "scale": 40.0}, "far": {"mid": -120.5, "half": 20.25, "scale": 1.0}}
DOPPLER = {
    "area": {"mid": 0.25, "half": 6.0, "scale": 1024.0},
    "height": {"mid": 0.25, "half": 6.0, "scale": 1024.0, "height": True},
}
DOPPLER_X = [-5.5, -3.1, -0.8, 0.0, 0.35, 0.9, 4.0]


def peaks(*rest):
    """A peak inside the window by area, one between points by height, one with its tail in the window only."""
    places = [("area", 12.5, 29.9), ("height", 410.0, 30.0625), ("area", -3.75, 31.75)]
    return [(window, [amplitude, center, *r]) for (window, amplitude, center), r in zip(places, rest)]


def tubes(*rest):
    places = [("copper", 12.5, 29.9), ("molybdenum", 410.0, 30.0625), ("other", 6.0, 119.75)]
    return [(window, [amplitude, center, *r]) for (window, amplitude, center), r in zip(places, rest)]


WIDTHS = [[0.11], [0.6], [2.5]]
MIXED = [[0.11, 0.35], [0.6, 0.0], [2.5, 1.0]]
VOIGT = [[0.11, 0.07], [0.6, 0.004], [0.25, 1.7]]
PEARSON = [[0.11, 1.7], [0.6, 0.8], [2.5, 25.0]]
SPLIT = [[0.11, 0.25, 0.35], [0.6, -0.5, 0.0], [2.5, 0.75, 0.9]]
TUBE_X = {"copper": BRAGG_X, "molybdenum": BRAGG_X, "other": [118.5, 119.0, 119.7, 119.9, 120.125, 120.3, 121.5]}
EXACT = "mpmath, 30 digits: tests/golden/make.py"

# file, function, curve, windows, x (by window or for all), rows, tolerance
TASKS = [
    ("gaussian", "golden", peak(gaussian), BRAGG, BRAGG_X, peaks(*WIDTHS), "1e-12"),
    ("lorentzian", "golden", peak(lorentzian), BRAGG, BRAGG_X, peaks(*WIDTHS), "1e-12"),
    ("pseudo_voigt", "golden", peak(pseudo_voigt), BRAGG, BRAGG_X, peaks(*MIXED), "1e-12"),
    ("voigt", "golden", peak(voigt), BRAGG, BRAGG_X, peaks(*VOIGT), "5e-9"),
    ("pearson7", "golden", peak(pearson7), BRAGG, BRAGG_X, peaks(*PEARSON), "1e-12"),
    ("split_pseudo_voigt", "golden", peak(split_pseudo_voigt), BRAGG, BRAGG_X, peaks(*SPLIT), "1e-12"),
    ("doublet", "Gaussian", doublet(gaussian), TUBES, TUBE_X, tubes(*WIDTHS), "1e-12"),
    ("doublet", "Lorentzian", doublet(lorentzian), TUBES, TUBE_X, tubes(*WIDTHS), "1e-12"),
    ("doublet", "PseudoVoigt", doublet(pseudo_voigt), TUBES, TUBE_X, tubes(*MIXED), "1e-12"),
    ("doublet", "Voigt", doublet(voigt), TUBES, TUBE_X, tubes(*VOIGT), "5e-9"),
    ("doublet", "Pearson7", doublet(pearson7), TUBES, TUBE_X, tubes(*PEARSON), "1e-12"),
    (
        "chebyshev",
        "golden",
        chebyshev,
        FAR,
        {"near": [3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], "far": [-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25]},
        [("near", [17.5]), ("near", [120.0, 80.5]), ("far", [1.5, -0.25, 0.75]), ("far", [3.0, 1.0, 4.0, 1.0, 5.0])],
        "1e-12",
    ),
    (
        "power",
        "golden",
        power,
        FAR,
        {"near": [3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], "far": [-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25]},
        [("near", [17.5]), ("near", [-0.375]), ("far", [1200.0])],
        "1e-12",
    ),
    (
        "exponential",
        "golden",
        exponential,
        FAR,
        {"near": [3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], "far": [-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25]},
        [("near", [120.0, 7.5]), ("near", [2e-9, 4.0]), ("far", [0.5, 0.625])],
        "1e-12",
    ),
    (
        "line",
        "golden",
        line,
        FAR,
        {"near": [3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], "far": [-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25]},
        [("near", [0.8, 0.1]), ("near", [-31.25, 250.0]), ("far", [0.5, 60.5])],
        "1e-12",
    ),
    (
        "mossbauer",
        "golden",
        mossbauer,
        DOPPLER,
        DOPPLER_X,
        [
            ("area", [50000.0, 0.4, 0.11, 0.0, 33.04, 0.0, 0.0, 0.0, 0.24]),
            ("height", [2.0e6, 0.08, 0.35, 0.28, 0.0, 0.3, 0.5, 1.0, 0.3]),
            ("area", [50000.0, 0.7, -0.2, -0.41, 9.5, 0.65, 1.1, 4.0, 0.5]),
            ("height", [1000.0, 0.3, 0.9, 0.13, 21.0, 1.0, 2.4, 5.5, 0.2]),
        ],
        "1e-12",
    ),
]


def setup(window):
    fields = [f"{key}: {window[key]}" for key in ("mid", "half", "scale")]
    fields += ["height: true"] if window.get("height") else []
    fields += [f"{key}: Some({window[key]})" for key in ("wavelength", "wavelength2") if key in window]
    return "Setup { " + ", ".join(fields) + ", ..Setup::default() }"


def numbers(values):
    """Shortest decimals that are good to 14 digits."""
    return "[" + ", ".join(repr(float(mp.nstr(mpf(v), 14))) for v in values) + "]"


def body(curve, windows, x, rows, tolerance):
    lines = [f"let {name} = {setup(window)};" for name, window in windows.items()]
    tables = {}
    for window, theta in rows:
        grid = x[window] if isinstance(x, dict) else x
        w = windows[window]
        exact = [mpf(v) for v in theta]
        y = [curve(mpf(v), exact, w.get("height", False), w) for v in grid]
        size = len(theta) - 1 if curve is chebyshev else 0
        row = [f"    (&{window}, &{numbers(theta)},", f"     &{numbers(y)}),"]
        tables.setdefault((size, tuple(grid)), []).extend(row)
    calls = [
        [f'Golden::table("{EXACT}", {tolerance}, {size}, &{numbers(grid)}, &[', *table, "])"]
        for (size, grid), table in tables.items()
    ]
    if len(calls) == 1:
        lines += calls[0]
    else:
        lines += ["[", *(f"    {row}{',' * (row == '])')}" for call in calls for row in call), "].concat()"]
    return "\n".join(" " * 8 + row for row in lines)


def place(text, function, new):
    """Puts `new` between the braces of `fn golden` (or of the `ka_golden` of `impl Peak for FUNCTION`)."""
    head = r"    fn golden\(\) -> Vec<Golden> \{\n"
    if function != "golden":
        head = rf"impl Peak for {function} \{{\n(?:(?!\nimpl).)*?    fn ka_golden\(\) -> Vec<Golden> \{{\n"
    pattern = re.compile(rf"({head}).*?(\n    \}}\n)", re.DOTALL)
    if not pattern.search(text):
        sys.exit(f"no place for the golden values of {function}")
    return pattern.sub(lambda m: m[1] + new + m[2], text, count=1)


def weideman(n=20):
    """L and the coefficients a_n, highest power first, of src/models/voigt.rs (Weideman 1994, section 5)."""
    import numpy as np

    m = 2 * n
    scale = np.sqrt(n / np.sqrt(2))
    t = scale * np.tan(np.arange(-m + 1, m) * np.pi / m / 2)
    f = np.concatenate([[0], np.exp(-(t**2)) * (scale**2 + t**2)])
    a = np.real(np.fft.fft(np.fft.fftshift(f))) / (2 * m)
    return float(scale), [float(f"{v:.13g}") for v in a[1 : n + 1][::-1]]


def voigt_errors():
    """Largest error of the expansion against scipy.special.wofz: of the peak's height and of the value itself, in f64 and f32."""
    import numpy as np
    from scipy.special import wofz

    def expansion(x, y, kind):
        scale, a = weideman()
        x, y, scale, *a = (np.asarray(v, dtype=kind) for v in (x, y, scale, *a))
        p = y + scale
        inverse = 1 / (p * p + x * x)
        qr, qi = p * inverse, x * inverse
        zr, zi = 2 * scale * qr - 1, 2 * scale * qi
        b1, b2 = a[0], kind(0)
        for c in a[1:-1]:
            b1, b2 = 2 * zr * b1 - (zr * zr + zi * zi) * b2 + c, b1
        sr, si = zr * b1 - (zr * zr + zi * zi) * b2 + a[-1], zi * b1
        ur, ui = 2 * (sr * qr - si * qi) + kind(1 / np.sqrt(np.pi)), 2 * (si * qr + sr * qi)
        return (qr * ur - qi * ui).astype(np.float64)

    rows = [0, 1e-6, 1e-3, 0.1, 1, 10, 1e4]
    columns = [0, 1, 3, 10, 100, 1e6]
    for name, kind in (("f64", np.float64), ("f32", np.float32)):
        for of in ("the peak", "the value"):
            print(f"{name}, relative to {of}; rows: gamma/sigma up to, columns: |x - center|/sigma up to")
            print(" " * 8 + "".join(f"{c:9g}" for c in columns[1:]))
            for g0, g1 in zip([0, *rows], rows):
                line = f"{g1:8g}"
                for x0, x1 in zip(columns, columns[1:]):
                    g, x = np.meshgrid(np.linspace(g0, g1, 101) if g1 else [0.0], np.linspace(x0, x1, 2001))
                    # The arguments as the kernel sees them, so that only the kernel's own error is measured.
                    x, y = (np.float32(v / np.sqrt(2)).astype(np.float64) for v in (x, g))
                    exact = wofz(x + 1j * y).real
                    unit = wofz(1j * y).real if of == "the peak" else np.maximum(exact, 1e-300)
                    line += f"{(abs(expansion(x, y, kind) - exact) / unit).max():9.1e}"
                print(line)


def main():
    write = "--write" in sys.argv
    if "--voigt" in sys.argv:
        print("L and coefficients:", *weideman(), sep="\n")
        voigt_errors()
        return
    for stem, function, *task in TASKS:
        new = body(*task)
        if write:
            path = MODELS / f"{stem}.rs"
            path.write_text(place(path.read_text(), function, new))
        else:
            print(f"// {stem} {function}\n{new}\n")


if __name__ == "__main__":
    main()
