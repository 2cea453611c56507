//! The terms a curve is a sum of. One file a model; the list below is the only registration.

pub mod doublet;
pub mod lanes;
pub mod level;
pub mod mossbauer;
mod number;
pub mod polynomials;

use fearless_simd::{Level, Simd};

use level::OnLevel;
pub use number::Number;
use number::{exp2_above, log2_above};

/// What a parameter means to the sampler, to the labels and to the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Where a peak is; peaks of a term are exchangeable and are ordered by it for display.
    Center,
    /// How wide a peak is (full width at half maximum).
    Width,
    /// How much of it there is: area or height, as the spec says.
    Amplitude,
    /// A dimensionless shape parameter.
    Shape,
    /// A value of a background at one of its nodes, in units of y.
    Level,
    /// Anything else.
    Other,
}

/// Unit of a parameter, in terms of the axes of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Unit of x.
    X,
    /// Unit of y.
    Y,
    /// Area: unit of y times unit of x (or of y alone where the amplitude is a height).
    Area,
    /// y per x.
    Slope,
    /// No unit.
    One,
    /// A unit of its own, such as `mm/s` or `T`.
    Named(&'static str),
}

/// The prior a parameter has where the spec says nothing; what depends on data is derived once a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultPrior {
    /// Uniform between two numbers.
    Uniform(f64, f64),
    /// Log-uniform between two numbers.
    LogUniform(f64, f64),
    /// Gamma with shape and rate.
    Gamma(f64, f64),
    /// Density ∝ sin θ on [0, π].
    Isotropic,
    /// By role: center, width, amplitude and level have their rules (see `spec`).
    ByRole,
}

/// One parameter of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Name, as in specs and results.
    pub name: String,
    /// Unit.
    pub unit: Unit,
    /// What it means.
    pub role: Role,
    /// Values outside are inadmissible, whatever the prior (both ends included).
    pub bounds: (f64, f64),
    /// Default prior.
    pub prior: DefaultPrior,
    /// One line for `keisoku models`.
    pub about: &'static str,
}

/// The window a term is prepared for: f32 never sees a raw axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// Middle of the window, unit of x.
    pub mid: f64,
    /// Half-width of the window, unit of x; t = (x − mid)/half lies in [−1, 1].
    pub half: f64,
    /// y unit: engines see y/scale.
    pub scale: f64,
    /// Whether the amplitude is a height instead of an area.
    pub height: bool,
    /// Wavelength in ångström, where x is 2θ in degrees and the model needs it; that of Kα₁ for a doublet.
    pub wavelength: Option<f64>,
    /// Wavelength of Kα₂ in ångström, for doublets; see [`doublet::wavelengths`] for what holds without it.
    pub wavelength2: Option<f64>,
}

impl Default for Setup {
    /// x = t, y in its own unit, amplitudes are areas, no wavelength.
    fn default() -> Self {
        Self { mid: 0.0, half: 1.0, scale: 1.0, height: false, wavelength: None, wavelength2: None }
    }
}

impl Setup {
    /// A position in units of t.
    #[inline(always)]
    fn position(&self, x: f64) -> f64 {
        (x - self.mid) / self.half
    }

    /// A width in units of t. Refused unless positive and above 10⁻⁹, below which squares of (t − position)/width leave the range of f32.
    #[inline(always)]
    fn width(&self, width: f64) -> (f64, Result<(), Inadmissible>) {
        // The number beside the refusal: who asks can go on without a branch, which vectors would not have.
        let w = width / self.half;
        (w, if w > 1e-9 { Ok(()) } else { Err(Inadmissible) })
    }

    /// Height in units of scale of a peak with that amplitude, where the peak of unit height has the area `unit_area`.
    #[inline(always)]
    fn peak_height(&self, amplitude: f64, unit_area: f64) -> f64 {
        if self.height { amplitude / self.scale } else { amplitude / (unit_area * self.scale) }
    }
}

/// A parameter vector that the model refuses: the likelihood is zero there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inadmissible;

/// How a term's coefficients lie: `repeats` runs of `stride` numbers, each evaluated by the shape and summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How many times the shape is evaluated (8 lines of a Mössbauer site, 2 of a Kα doublet, mostly 1).
    pub repeats: usize,
    /// Coefficients of one evaluation.
    pub stride: usize,
}

impl Extent {
    /// Coefficients of the whole term.
    pub fn len(self) -> usize {
        self.repeats * self.stride
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A golden value: parameters, window and the curve there, from an independent source.
#[derive(Clone, Debug)]
pub struct Golden {
    /// Size of the model (polynomial degree), 0 where it has none.
    pub size: usize,
    /// Parameters in the model's order (width as fwhm).
    pub theta: Vec<f64>,
    /// The window.
    pub setup: Setup,
    /// x values.
    pub x: Vec<f64>,
    /// Curve at x, in units of y (not divided by scale), correct to 1e-12 relative of its largest value unless `tolerance` says otherwise.
    pub y: Vec<f64>,
    /// Relative tolerance in f64 (of the largest |y|).
    pub tolerance: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// A row of a table of golden values: window, parameters, curve at the table's x.
pub type GoldenRow<'a> = (&'a Setup, &'a [f64], &'a [f64]);

impl Golden {
    /// Golden values on one grid of x.
    pub fn table(source: &'static str, tolerance: f64, size: usize, x: &[f64], rows: &[GoldenRow]) -> Vec<Self> {
        let golden = |(setup, theta, y): &GoldenRow| Self {
            size,
            theta: theta.to_vec(),
            setup: (*setup).clone(),
            x: x.to_vec(),
            y: y.to_vec(),
            tolerance,
            source,
        };
        rows.iter().map(golden).collect()
    }
}

/// What a shape is a function of, beside other coefficients. Where it depends on t and a position by their difference alone, an engine may move
/// the origin of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// t.
    T,
    /// t − position, by the number of that coefficient.
    Distance(usize),
    /// (t − position)·scale, by the numbers of both.
    Scaled(usize, usize),
}

impl Argument {
    /// Which coefficient is the position, if any.
    pub const fn position(self) -> Option<usize> {
        match self {
            Self::T => None,
            Self::Distance(position) | Self::Scaled(position, _) => Some(position),
        }
    }
}

/// A function of t with a fixed handful of coefficients: what engines evaluate once a point.
pub trait Shape {
    /// What `at` takes.
    const ARGUMENT: Argument = Argument::T;

    /// Value at an argument, in units of y/scale. `c` holds `stride` coefficients; those that the argument is made of are not read.
    fn at<N: Number>(argument: N, c: &[N]) -> N;

    /// Value at t in [−1, 1].
    #[inline(always)]
    fn eval<N: Number>(t: N, c: &[N]) -> N {
        match Self::ARGUMENT {
            Argument::T => Self::at(t, c),
            Argument::Distance(position) => Self::at(t - c[position], c),
            Argument::Scaled(position, scale) => Self::at((t - c[position]) * c[scale], c),
        }
    }

    /// The range of t outside which |value| < floor (in units of y/scale); it may reach beyond [−1, 1], and may be empty (lo > hi).
    fn support(c: &[f64], floor: f64) -> (f64, f64);
}

/// A model: what a spec names, prepared on the host in f64, evaluated by its shape.
pub trait Term {
    /// The shape engines evaluate; its WGSL twin has the stem that the list gives.
    type Shape: Shape;
    /// Name in specs.
    const NAME: &'static str;
    /// One line for lists.
    const TITLE: &'static str;
    /// Definition, validation and references, for `keisoku models NAME`.
    const ABOUT: &'static str;
    /// Name of the size key in specs (`degree`) and its default, where the model has one.
    const SIZE: Option<(&'static str, usize)> = None;
    /// Whether the curve is a linear function of all its amplitudes and levels together.
    const LINEAR: bool = true;
    /// Parameters in order.
    fn parameters(size: usize) -> Vec<Quantity>;
    /// How the coefficients lie.
    fn extent(size: usize) -> Extent;
    /// Whether the model can be had in that window at all, whatever its parameters.
    ///
    /// # Errors
    /// What the model needs, as advice to whoever wrote the spec.
    fn requires(_: &Setup) -> Result<(), &'static str> {
        Ok(())
    }
    /// Coefficients of `theta` (in `parameters` order, physical units, width as fwhm) for the window, in units of t and y/scale.
    ///
    /// # Errors
    /// [`Inadmissible`] where the model does not exist (the likelihood is zero there).
    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible>;
    /// The same for walkers abreast: one array for each parameter; `out` has the coefficients of one walker after the other. Walkers that the model
    /// refuses are not fine afterwards. Compiled for an instruction set: simple models make it vectors, by `abreast`.
    #[inline(always)]
    fn prepare_abreast(theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
        let mut own = [0.0; MAX_PARAMETERS];
        let length = out.len() / ABREAST;
        for (lane, out) in out.chunks_exact_mut(length).enumerate() {
            for (own, all) in own.iter_mut().zip(theta) {
                *own = all[lane];
            }
            fine[lane] = fine[lane] && Self::prepare(&own[..theta.len()], setup, out).is_ok();
        }
    }
    /// Golden values from an independent source.
    fn golden() -> Vec<Golden>;
}

/// Walkers that are worked on abreast, as arrays of one number each: loops over them become vectors.
pub const ABREAST: usize = 16;
/// One number of each.
pub type Abreast = [f64; ABREAST];

/// θ, window → coefficients: see [`Term::prepare`].
pub type Prepare = fn(&[f64], &Setup, &mut [f64]) -> Result<(), Inadmissible>;

/// The same for walkers abreast on an instruction set: see [`Term::prepare_abreast`].
pub type PrepareAbreast = fn(Level, &[Abreast], &Setup, &mut [f64], &mut [bool; ABREAST]);

/// [`Term::prepare`] of N parameters and M coefficients for walkers abreast; where that is inlined and has neither a loop nor a call, as vectors.
#[inline(always)]
fn abreast<T: Term, const N: usize, const M: usize>(theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
    let (theta, out) = (&theta[..N], &mut out[..M * ABREAST]);
    let (mut columns, mut admitted) = ([[0.0; ABREAST]; M], [false; ABREAST]);
    for lane in 0..ABREAST {
        let (mut own, mut coefficients) = ([0.0; N], [0.0; M]);
        for i in 0..N {
            own[i] = theta[i][lane];
        }
        admitted[lane] = T::prepare(&own, setup, &mut coefficients).is_ok();
        for i in 0..M {
            columns[i][lane] = coefficients[i];
        }
    }
    for lane in 0..ABREAST {
        fine[lane] &= admitted[lane];
        for i in 0..M {
            out[lane * M + i] = columns[i][lane];
        }
    }
}

/// [`Term::prepare_abreast`] on an instruction set.
fn prepare_on<T: Term>(level: Level, theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
    level::on(level, PrepareOn::<T> { theta, setup, out, fine, of: std::marker::PhantomData });
}

struct PrepareOn<'a, T> {
    theta: &'a [Abreast],
    setup: &'a Setup,
    out: &'a mut [f64],
    fine: &'a mut [bool; ABREAST],
    of: std::marker::PhantomData<T>,
}

impl<T: Term> OnLevel for PrepareOn<'_, T> {
    type Output = ();

    #[inline(always)]
    fn on<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || T::prepare_abreast(self.theta, self.setup, self.out, self.fine),
        );
    }
}

/// One entry of the list of models.
pub struct Model {
    /// Name in specs.
    pub name: &'static str,
    /// One line for lists.
    pub title: &'static str,
    /// Definition, validation and references.
    pub about: &'static str,
    /// Name and default of the size key, where the model has one.
    pub size: Option<(&'static str, usize)>,
    /// See [`Term::LINEAR`].
    pub linear: bool,
    /// Parameters for a size.
    pub parameters: fn(usize) -> Vec<Quantity>,
    /// Layout of the coefficients for a size.
    pub extent: fn(usize) -> Extent,
    /// See [`Term::requires`].
    pub requires: fn(&Setup) -> Result<(), &'static str>,
    /// See [`Term::prepare`].
    pub prepare: Prepare,
    /// See [`Term::prepare_abreast`].
    pub prepare_abreast: PrepareAbreast,
    /// Golden values.
    pub golden: fn() -> Vec<Golden>,
    /// The shape engines evaluate.
    pub shape: ShapeKind,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Model {
    /// The entry of a term, whose shape this is.
    pub const fn of<T: Term>(shape: ShapeKind) -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            about: T::ABOUT,
            size: T::SIZE,
            linear: T::LINEAR,
            parameters: T::parameters,
            extent: T::extent,
            requires: T::requires,
            prepare: T::prepare,
            prepare_abreast: prepare_on::<T>,
            golden: T::golden,
            shape,
        }
    }
}

/// Something to do with a shape known by its type, so that loops over points are compiled once for each shape.
pub trait Visit {
    /// What it returns.
    type Output;
    /// Called with the shape.
    fn visit<S: Shape>(self) -> Self::Output;
}

/// `shapes!` lists the functions engines can evaluate with their file stems (src/models/STEM.rs, shaders/models/STEM.wgsl);
/// `models!` lists what specs can name.
macro_rules! shapes {
    ($($stem:ident :: $shape:ident),+ $(,)?) => {
        $(pub mod $stem;)+

        /// Every shape, in the order of their numbers in shaders.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum ShapeKind {
            $(#[doc = concat!("The shape of `", stringify!($stem), "`.")] $shape),+
        }

        impl ShapeKind {
            /// Every shape.
            pub const ALL: &'static [Self] = &[$(Self::$shape),+];

            /// File stem in src/models and shaders/models.
            pub fn stem(self) -> &'static str {
                match self { $(Self::$shape => stringify!($stem)),+ }
            }

            /// Source of the WGSL twin, which defines `fn STEM(t: f32, at: u32, n: u32) -> f32` over the coefficients from `at`.
            pub fn wgsl(self) -> &'static str {
                match self { $(Self::$shape => include_str!(concat!("../../shaders/models/", stringify!($stem), ".wgsl"))),+ }
            }

            /// Calls back with the shape's type.
            pub fn visit<V: Visit>(self, visitor: V) -> V::Output {
                match self { $(Self::$shape => visitor.visit::<$stem::$shape>()),+ }
            }
        }
    };
}

macro_rules! models {
    ($($term:ty : $shape:ident),+ $(,)?) => {
        /// Every model, in the order of `keisoku models`.
        pub static MODELS: &[Model] = &[$(Model::of::<$term>(ShapeKind::$shape)),+];
    };
}

shapes! {
    gaussian::Gaussian,
    lorentzian::Lorentzian,
    pseudo_voigt::PseudoVoigt,
    voigt::Voigt,
    pearson7::Pearson7,
    split_pseudo_voigt::SplitPseudoVoigt,
    chebyshev::Chebyshev,
    power::Power,
    exponential::Exponential,
    line::Line,
}

models! {
    gaussian::Gaussian: Gaussian,
    lorentzian::Lorentzian: Lorentzian,
    pseudo_voigt::PseudoVoigt: PseudoVoigt,
    voigt::Voigt: Voigt,
    pearson7::Pearson7: Pearson7,
    split_pseudo_voigt::SplitPseudoVoigt: SplitPseudoVoigt,
    doublet::Doublet<gaussian::Gaussian>: Gaussian,
    doublet::Doublet<lorentzian::Lorentzian>: Lorentzian,
    doublet::Doublet<pseudo_voigt::PseudoVoigt>: PseudoVoigt,
    doublet::Doublet<voigt::Voigt>: Voigt,
    doublet::Doublet<pearson7::Pearson7>: Pearson7,
    chebyshev::Chebyshev: Chebyshev,
    power::Power: Power,
    exponential::Exponential: Exponential,
    line::Line: Line,
    mossbauer::Mossbauer: Lorentzian,
}

/// Most parameters a term can have.
pub const MAX_PARAMETERS: usize = 32;

/// The model of that name.
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|m| m.name == name)
}

impl ShapeKind {
    /// Which coefficient is a position, where the value depends on t and on that by their difference alone.
    pub fn position(self) -> Option<usize> {
        struct Of;
        impl Visit for Of {
            type Output = Option<usize>;
            fn visit<S: Shape>(self) -> Option<usize> {
                S::ARGUMENT.position()
            }
        }
        self.visit(Of)
    }

    /// Whether its support may end: that of a function of the distance from a position. Others are everywhere.
    pub fn is_local(self) -> bool {
        self.position().is_some()
    }

    /// Value at t in f64, for one run of coefficients.
    pub fn eval_f64(self, t: f64, c: &[f64]) -> f64 {
        struct At<'a>(f64, &'a [f64]);
        impl Visit for At<'_> {
            type Output = f64;
            fn visit<S: Shape>(self) -> f64 {
                S::eval(self.0, self.1)
            }
        }
        self.visit(At(t, c))
    }

    /// See [`Shape::support`], over all repeats of a term.
    pub fn support(self, c: &[f64], extent: Extent, floor: f64) -> (f64, f64) {
        struct Of<'a>(&'a [f64], f64);
        impl Visit for Of<'_> {
            type Output = (f64, f64);
            fn visit<S: Shape>(self) -> (f64, f64) {
                S::support(self.0, self.1)
            }
        }
        if extent.repeats == 1 {
            // Asked once a move: the divisions below are a tenth of a short one.
            return self.visit(Of(c, floor));
        }
        let mut hull = (f64::INFINITY, f64::NEG_INFINITY);
        for run in c.chunks_exact(extent.stride) {
            // Each line may be as large as the floor, so the sum is held to it.
            let (lo, hi) = self.visit(Of(run, floor / extent.repeats as f64));
            if lo <= hi {
                hull = (hull.0.min(lo), hull.1.max(hi));
            }
        }
        hull
    }
}

/// Quantities that peak models share, so that names, units and meanings are the same everywhere.
pub mod quantity {
    use super::{DefaultPrior, Quantity, Role, Unit};

    /// Peak position.
    pub fn center() -> Quantity {
        Quantity {
            name: "center".into(),
            unit: Unit::X,
            role: Role::Center,
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
            prior: DefaultPrior::ByRole,
            about: "position of the maximum",
        }
    }

    /// Full width at half maximum (given as fwhm, hwhm, sigma or b).
    pub fn width() -> Quantity {
        Quantity {
            name: "fwhm".into(),
            unit: Unit::X,
            role: Role::Width,
            bounds: (0.0, f64::INFINITY),
            prior: DefaultPrior::ByRole,
            about: "full width at half maximum",
        }
    }

    /// Area, or height where the spec says so.
    pub fn amplitude() -> Quantity {
        Quantity {
            name: "area".into(),
            unit: Unit::Area,
            role: Role::Amplitude,
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
            prior: DefaultPrior::ByRole,
            about: "area under the peak (height = … where given as height)",
        }
    }

    /// A dimensionless shape parameter between two bounds, uniform by default.
    pub fn shape(name: &str, low: f64, high: f64, about: &'static str) -> Quantity {
        Quantity {
            name: name.into(),
            unit: Unit::One,
            role: Role::Shape,
            bounds: (low, high),
            prior: DefaultPrior::Uniform(low, high),
            about,
        }
    }
}
