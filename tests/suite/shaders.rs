//! What the shaders share with Rust, and what no shader may call: held by parsing them with naga.

use std::mem::offset_of;

use keisoku::engine::gpu::layout::{self, Call, Move, Part, Point, Term, Walker, binding};
use keisoku::engine::gpu::path::Path;
use keisoku::engine::gpu::program::{accuracy_source, ceiling_source, keep_source, misfit_source, settle_source};
use keisoku::engine::{POISSON_FLOOR, SENTINEL};
use keisoku::models::{ShapeKind, polynomials as table};
use naga::{Expression, Handle, Literal, MathFunction, Module, TypeInner};

fn parse(source: &str) -> Module {
    naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)))
}

/// The four kernels of a tile first.
fn programs() -> [Module; 6] {
    let misfit = |path| misfit_source(ShapeKind::ALL, path);
    let tile = [misfit(Path::Recomputed), settle_source(), misfit(Path::Kept), keep_source(ShapeKind::ALL)];
    let [recomputed, settle, kept, keep] = tile.map(|source| parse(&source));
    [recomputed, settle, kept, keep, parse(&accuracy_source()), parse(&ceiling_source())]
}

/// The numbers of a constant expression.
fn numbers(module: &Module, expression: Handle<Expression>) -> Vec<f64> {
    match &module.global_expressions[expression] {
        Expression::Literal(Literal::F32(x)) => vec![f64::from(*x)],
        Expression::Literal(Literal::U32(x)) => vec![f64::from(*x)],
        Expression::Literal(Literal::I32(x)) => vec![f64::from(*x)],
        Expression::Compose { components, .. } => components.iter().flat_map(|c| numbers(module, *c)).collect(),
        other => panic!("not a constant: {other:?}"),
    }
}

/// The constants of the programs and of Rust that differ, by name.
fn different_constants(module: &Module, expected: &[(&str, Vec<f64>)]) -> Vec<String> {
    let found = |name: &str| {
        let constant = module.constants.iter().find(|(_, c)| c.name.as_deref() == Some(name));
        constant.map(|(_, c)| numbers(module, c.init))
    };
    expected.iter().filter(|(name, values)| found(name).as_ref() != Some(values)).map(|(name, _)| (*name).to_owned()).collect()
}

fn of(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn shared_constants() -> Vec<(&'static str, Vec<f64>)> {
    vec![
        ("LN_2_HIGH", of(&[table::LN_2_HIGH])),
        ("LN_2_LOW", of(&[table::LN_2_LOW])),
        ("ONE_OVER_LN_2", of(&[table::ONE_OVER_LN_2])),
        ("EXP_LOW", of(&[table::EXP_LOW])),
        ("EXP_HIGH", of(&[table::EXP_HIGH])),
        ("EXP", of(&table::EXP)),
        ("BELL_END", of(&[table::BELL_END])),
        ("EXP2", of(&table::EXP2)),
        ("SQRT_HALF_BITS", vec![f64::from(table::SQRT_HALF_BITS)]),
        ("LN", of(&table::LN)),
        ("TWO_OVER_PI", of(&[table::TWO_OVER_PI])),
        ("HALF_PI", of(&table::HALF_PI)),
        ("SIN", of(&table::SIN)),
        ("COS", of(&table::COS)),
        ("HALF_PI_HIGH", of(&[table::HALF_PI_HIGH])),
        ("HALF_PI_LOW", of(&[table::HALF_PI_LOW])),
        ("ATAN", of(&table::ATAN)),
        ("ERF", of(&table::ERF)),
        ("ERFC", of(&table::ERFC)),
        ("ATANH", of(&table::ATANH)),
        ("SMALLEST_NORMAL", of(&[f32::MIN_POSITIVE])),
        ("WORKGROUP", vec![f64::from(layout::WORKGROUP)]),
        ("POINTS_A_LANE", vec![f64::from(layout::POINTS_A_LANE)]),
        ("SENTINEL", of(&[SENTINEL as f32])),
        ("POISSON_FLOOR", of(&[POISSON_FLOOR as f32])),
        ("RESIDUAL_LIMIT", of(&[layout::RESIDUAL_LIMIT])),
        ("GAUSSIAN", vec![f64::from(layout::GAUSSIAN)]),
        ("POISSON", vec![f64::from(layout::POISSON)]),
        ("WHOLE", vec![f64::from(layout::WHOLE)]),
    ]
}

#[test]
fn constants_are_those_of_rust() {
    let [misfit, ..] = programs();
    assert_eq!(different_constants(&misfit, &shared_constants()), Vec::<String>::new());
    let named = misfit.constants.iter().filter_map(|(_, c)| c.name.clone());
    let known: Vec<_> = shared_constants().into_iter().map(|(name, _)| name).chain(["TWELVE_BITS"]).collect();
    let unknown: Vec<_> = named.filter(|name| !known.contains(&name.as_str())).collect();
    assert_eq!(unknown, Vec::<String>::new(), "constants of a shader that no test compares");
}

#[test]
fn one_digit_of_one_constant_is_seen() {
    let source = misfit_source(ShapeKind::ALL, Path::Recomputed);
    let mutant = source.replace("0.041668255", "0.041668265");
    assert_ne!(source, mutant);
    assert_eq!(different_constants(&parse(&mutant), &shared_constants()), ["EXP"]);
}

/// Name, size and fields with their offsets, of a record in Rust.
macro_rules! record {
    ($name:ident { $($field:ident),+ }) => {
        (stringify!($name), size_of::<$name>(), vec![$((stringify!($field), offset_of!($name, $field))),+])
    };
}

#[test]
fn records_are_those_of_rust() {
    let records = [
        record!(Call { first_move, moves, slots, first_settled, settled }),
        record!(Point { t, y, weight, factor }),
        record!(Term { kind, at, stride, repeats }),
        record!(Part { first_point, points, first_term, terms, noise }),
        record!(Walker { resident, first_part, totals }),
        record!(Move { walker, first_changed, changed, fresh }),
    ];
    for module in &programs()[..4] {
        for (name, size, fields) in &records {
            let ty = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name));
            let Some((_, naga::Type { inner: TypeInner::Struct { members, span }, .. })) = ty else { continue };
            let found: Vec<_> = members.iter().map(|m| (m.name.as_deref().unwrap_or_default(), m.offset as usize)).collect();
            assert_eq!((*span as usize, &found), (*size, fields), "{name}");
        }
        let structs = module.types.iter().filter(|(_, t)| matches!(t.inner, TypeInner::Struct { .. }));
        for (_, t) in structs {
            assert!(records.iter().any(|r| Some(r.0) == t.name.as_deref()), "{:?} has no twin", t.name);
        }
    }
}

#[test]
fn bindings_are_those_of_rust() {
    let common = [
        ("call", binding::CALL),
        ("terms", binding::TERMS),
        ("walkers", binding::WALKERS),
        ("moves", binding::MOVES),
        ("changed", binding::CHANGED),
        ("coefficients", binding::COEFFICIENTS),
    ];
    let own = [
        vec![("points", binding::POINTS), ("parts", binding::PARTS), ("sums", binding::SUMS)],
        vec![("choices", binding::CHOICES)],
        vec![("points", binding::POINTS), ("parts", binding::PARTS), ("sums", binding::SUMS)],
        vec![("points", binding::POINTS), ("parts", binding::PARTS), ("choices", binding::CHOICES)],
    ];
    for (module, own) in programs().iter().zip(own) {
        let mut expected: Vec<_> = common.into_iter().chain(own).collect();
        let bound = module.global_variables.iter().filter_map(|(_, v)| Some((v.name.as_deref()?, v.binding?.binding)));
        let mut found: Vec<_> = bound.collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}

/// Functions whose guaranteed accuracy suffices: exact, or correctly rounded, or within 2.5 ulp (sqrt, through inverseSqrt and a division).
const ALLOWED: [MathFunction; 8] = [
    MathFunction::Abs,
    MathFunction::Min,
    MathFunction::Max,
    MathFunction::Clamp,
    MathFunction::Floor,
    MathFunction::Fma,
    MathFunction::Sqrt,
    MathFunction::Sign,
];

/// Built-in functions that a program calls and should not.
fn forbidden(module: &Module) -> Vec<MathFunction> {
    let functions = module.functions.iter().map(|(_, f)| f).chain(module.entry_points.iter().map(|e| &e.function));
    let calls = functions.flat_map(|f| f.expressions.iter()).filter_map(|(_, e)| match e {
        Expression::Math { fun, .. } => Some(*fun),
        _ => None,
    });
    calls.filter(|fun| !ALLOWED.contains(fun)).collect()
}

/// WGSL guarantees too little of its exponentials, logarithms and trigonometric functions.
#[test]
fn no_shader_calls_an_inaccurate_built_in() {
    for module in &programs() {
        assert_eq!(forbidden(module), []);
    }
    let mutant = misfit_source(ShapeKind::ALL, Path::Recomputed).replacen("m_exp(-", "exp(-", 1);
    assert_eq!(forbidden(&parse(&mutant)), [MathFunction::Exp]);
}

/// An array in a function is indexed through memory: on a GPU it spills.
#[test]
fn no_shader_keeps_an_array_in_a_function() {
    for module in &programs() {
        let functions = module.functions.iter().map(|(_, f)| f).chain(module.entry_points.iter().map(|e| &e.function));
        for function in functions {
            for (_, local) in function.local_variables.iter() {
                let array = matches!(module.types[local.ty].inner, TypeInner::Array { .. });
                assert!(!array, "{:?} in {:?}", local.name, function.name);
            }
        }
    }
}

/// Every function that a shape may call, by itself: a shape that calls another's helper would break where it is used without it.
#[test]
fn every_shape_compiles_alone() {
    for kind in ShapeKind::ALL {
        for source in [misfit_source(&[*kind], Path::Recomputed), misfit_source(&[*kind], Path::Kept), keep_source(&[*kind])] {
            let module = parse(&source);
            let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
            validator.validate(&module).unwrap_or_else(|e| panic!("{}: {e:?}", kind.stem()));
        }
    }
}
