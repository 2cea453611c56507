//! Colours and lines of figures: one sheet of classes, with the light and the dark palette in one place.

use super::{Figure, n};

const LOOK: &str = include_str!("look.css");

/// The two palettes and the classes.
fn parts() -> [&'static str; 3] {
    let (light, rest) = LOOK.split_once("/* dark */").unwrap_or((LOOK, ""));
    let (dark, classes) = rest.split_once("/* figures */").unwrap_or((rest, ""));
    [light, dark, classes]
}

/// The declarations of a palette.
fn inner(palette: &str) -> &str {
    palette.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(inner, _)| inner.trim())
}

/// The sheet of a page: light, or dark where the reader's system is or the page's switch says so; light on paper.
pub fn sheet() -> String {
    let [light, dark, classes] = parts();
    format!(
        ":root{{{}}}\n@media screen{{@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{}}}}}\n\
         :root[data-theme=dark]{{{}}}}}\n{}",
        inner(light),
        inner(dark),
        inner(dark),
        classes.trim()
    )
}

/// The classes with the light palette's values written in: what readers of SVG that know no variables take.
pub fn plain() -> String {
    let [light, _, classes] = parts();
    let mut sheet = classes.trim().replace("svg.figure text", "text").replace("svg.figure", "svg");
    for one in inner(light).split(';') {
        if let Some((name, value)) = one.split_once(':') {
            sheet = sheet.replace(&format!("var({})", name.trim()), value.trim());
        }
    }
    sheet
}

/// The same with all strokes so many times as wide: small letters go with fine lines.
fn fine(sheet: &str, scale: f64) -> String {
    let mut parts = sheet.split("stroke-width: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (width, rest) = part.split_at(part.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(part.len()));
        out += &format!("stroke-width: {}{rest}", n(width.parse().unwrap_or(1.0) * scale));
    }
    out
}

/// A figure for a page that has the sheet.
pub fn embedded(figure: &Figure) -> String {
    let (w, h) = (n(figure.width), n(figure.height));
    format!(
        "<svg class=\"figure\" data-what=\"{}\" viewBox=\"0 0 {w} {h}\" font-size=\"{}\" role=\"img\" aria-label=\"{}\">{}</svg>",
        super::escaped(&figure.what),
        n(figure.font),
        super::escaped(&figure.title),
        figure.body
    )
}

/// A figure as a file of its own, in light colours on white; `unit` is the size of its unit in millimetres.
pub fn alone(figure: &Figure, unit: f64) -> String {
    let (w, h) = (n(figure.width), n(figure.height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {w} {h}\" font-size=\"{}\">\n\
         <title>{}</title>\n<style>\n{}\n</style>\n<rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n{}\n</svg>\n",
        n(figure.width * unit),
        n(figure.height * unit),
        n(figure.font),
        super::escaped(&figure.title),
        fine(&plain(), figure.scale),
        figure.body
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_palettes_have_the_same_names_and_every_name_is_known() {
        let [light, dark, classes] = parts();
        let names = |p: &str| inner(p).split(';').filter_map(|d| Some(d.split_once(':')?.0.trim().to_owned())).collect::<Vec<_>>();
        assert_eq!(names(light), names(dark));
        assert_eq!(fine("a { stroke-width: 1.6; } b { stroke-width: 3 }", 0.5), "a { stroke-width: 0.8; } b { stroke-width: 1.5 }");
        assert!(classes.contains("var(--c6)") && !plain().contains("var("), "{}", plain());
    }
}
