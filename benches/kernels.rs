//! Writes the compute kernels of the gpu engine as WGSL, one file a kernel, for a compiler's verdict on them: `shaders/README.md` has one.
//!
//! `cargo bench --bench kernels -- DIR` writes `misfit`, on both paths, and `keep` for each shape alone and for all of them, `settle` and
//! `ceiling`, and prints from how many like terms on totals are kept, by the estimate in `engine::gpu::path`. `lanes` and `row` are `override`
//! constants of `misfit` and `keep`: 64 and 32 for data of more than 64 points, 16 and 16 from 33 points on, 8 and 8 below.

use std::path::Path;

use keisoku::engine::gpu::path::{Path as Curve, crossover};
use keisoku::engine::gpu::program::{ceiling_source, keep_source, misfit_source, settle_source};
use keisoku::models::{Extent, ShapeKind};

fn main() {
    println!("totals are kept from so many terms on, where a move changes one, and each is evaluated at all points or at a fifth of them:");
    for shape in ShapeKind::ALL {
        // A straight line as a polynomial; other shapes have one size.
        let extent = Extent { stride: 2, repeats: 1 };
        println!("{:>20} {:>4} {:>4}", shape.stem(), crossover(*shape, extent, 1.0), crossover(*shape, extent, 0.2));
    }
    let Some(folder) = std::env::args().skip(1).find(|a| !a.starts_with("--")) else {
        println!("say where to: cargo bench --bench kernels -- DIR");
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, source: &str| {
        let path = Path::new(&folder).join(format!("{name}.wgsl"));
        std::fs::write(&path, source).unwrap();
        println!("{}", path.display());
    };
    for shape in ShapeKind::ALL {
        write(&format!("misfit-{}", shape.stem()), &misfit_source(&[*shape], Curve::Recomputed));
        write(&format!("misfit-kept-{}", shape.stem()), &misfit_source(&[*shape], Curve::Kept));
        write(&format!("keep-{}", shape.stem()), &keep_source(&[*shape]));
    }
    write("misfit-all", &misfit_source(ShapeKind::ALL, Curve::Recomputed));
    write("misfit-kept-all", &misfit_source(ShapeKind::ALL, Curve::Kept));
    write("keep-all", &keep_source(ShapeKind::ALL));
    write("settle", &settle_source());
    write("ceiling", &ceiling_source());
}
