//! Writes the compute kernels of the gpu engine as WGSL, one file a kernel, for a compiler's verdict on them: `shaders/README.md` has one.
//!
//! `cargo bench --bench kernels -- DIR` writes `misfit` for each shape alone and for all of them, `settle` and `ceiling`. `lanes` and `row`
//! are `override` constants of `misfit`: 64 and 32 for data of more than 64 points, 16 and 16 from 33 points on, 8 and 8 below.

use std::path::Path;

use keisoku::engine::gpu::program::{ceiling_source, misfit_source, settle_source};
use keisoku::models::ShapeKind;

fn main() {
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
        write(&format!("misfit-{}", shape.stem()), &misfit_source(&[*shape]));
    }
    write("misfit-all", &misfit_source(ShapeKind::ALL));
    write("settle", &settle_source());
    write("ceiling", &ceiling_source());
}
