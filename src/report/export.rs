//! A figure as a file of its own: SVG, or PNG and PDF with the letters of Noto Sans, which come with the program.

use std::path::Path;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use super::atomic;
use super::svg::{Figure, alone};
use crate::error::{Error, Place, Result};

/// Units of figures in an inch, as browsers have it.
const UNITS: f64 = 96.0;
/// Sides of a picture beyond this many pixels are refused.
const LARGEST: f64 = 20_000.0;

/// Writes a figure; the file's ending says how.
///
/// # Errors
/// Where the ending is none of svg, pdf and png, or the file cannot be written.
pub fn write(figure: &Figure, path: &Path, dpi: f64) -> Result<()> {
    let svg = alone(figure, 25.4 / UNITS);
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let bytes = match ending.as_str() {
        "svg" => svg.into_bytes(),
        "png" => png(&tree(&svg)?, dpi).map_err(|e| e.at(Place::file(path)))?,
        "pdf" => pdf(&tree(&svg)?).map_err(|e| e.at(Place::file(path)))?,
        _ => {
            return Err(Error::fatal("the file's ending says how to draw, and this one is none of svg, pdf and png")
                .at(Place::file(path))
                .hint("write -o figure.svg, -o figure.pdf or -o figure.png"));
        }
    };
    atomic::write(path, |out| {
        out.write_all(&bytes)
            .map_err(|e| Error::fatal(format!("cannot be written: {e}")).at(Place::file(path)).hint("choose another place with -o"))
    })
}

/// The letters are the same on every machine; the system's fonts are asked only for what Noto Sans does not have, such as 計測 in a title.
fn tree(svg: &str) -> Result<Tree> {
    let mut fonts = Database::new();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    if !svg.is_ascii() {
        fonts.load_system_fonts();
    }
    fonts.set_sans_serif_family("Noto Sans");
    let options = Options { fontdb: Arc::new(fonts), font_family: "Noto Sans".into(), dpi: UNITS as f32, ..Options::default() };
    Tree::from_str(&own_letters(svg), &options)
        .map_err(|e| Error::fatal(format!("the figure cannot be converted: {e}")).hint("write -o figure.svg, and please report this"))
}

/// The sheet without the list of faces that browsers choose from.
fn own_letters(svg: &str) -> String {
    let Some((before, rest)) = svg.split_once("font-family:") else { return svg.into() };
    let Some((_, after)) = rest.split_once(';') else { return svg.into() };
    format!("{before}font-family:\"Noto Sans\";{after}")
}

fn png(tree: &Tree, dpi: f64) -> Result<Vec<u8>> {
    let scale = dpi / UNITS;
    let (width, height) = (f64::from(tree.size().width()) * scale, f64::from(tree.size().height()) * scale);
    if width.max(height) > LARGEST {
        return Err(Error::fatal(format!("{width:.0} × {height:.0} pixels are too many")).hint("lower --dpi, or write a PDF"));
    }
    let picture = Pixmap::new(width.ceil() as u32, height.ceil() as u32);
    let mut picture = picture.ok_or_else(|| Error::fatal("the picture would have no pixels").hint("raise --dpi"))?;
    resvg::render(tree, Transform::from_scale(scale as f32, scale as f32), &mut picture.as_mut());
    picture.encode_png().map_err(|e| Error::fatal(format!("the picture cannot be made: {e}")).hint("write -o figure.svg"))
}

fn pdf(tree: &Tree) -> Result<Vec<u8>> {
    let page = svg2pdf::PageOptions { dpi: UNITS as f32 };
    svg2pdf::to_pdf(tree, svg2pdf::ConversionOptions::default(), page)
        .map_err(|e| Error::fatal(format!("the PDF cannot be made: {e}")).hint("write -o figure.svg"))
}
