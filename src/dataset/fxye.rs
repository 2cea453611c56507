//! GSAS files of type FXYE: a header, a BANK line, then position in centidegrees, intensity and standard error.

use std::path::Path;

use super::dialect::Dialect;
use super::sheet::{Kind, Sheet, refused};
use super::text::{Content, Line, Reader};
use crate::error::{Error, Place, Result};

/// Reads the one bank of a constant-wavelength FXYE file; x in degrees 2θ. A line before BANK may state `Temp (K) = …`.
///
/// Source of the format: A. C. Larson, R. B. Von Dreele, *General Structure Analysis System (GSAS)*, Los Alamos report LAUR 86-748,
/// section "powder histogram file".
///
/// # Errors
/// Recoverable, with the line: no BANK or several, another type, time of flight, a count of points that is not what BANK promises.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Sheet> {
    let mut reader = Reader::new(path, Dialect::PLAIN);
    let mut bank = None;
    for (number, line) in Content::new(bytes) {
        match (line, bank) {
            (Line::TooLong, _) => return Err(Error::recoverable("the line is too long for a GSAS file").at(Place::line(path, number))),
            (Line::Comment(text), _) => reader.header(text),
            (Line::Text(text), _) if text.starts_with(b"BANK") => {
                if bank.is_some() {
                    let error = Error::recoverable("a second bank begins here").at(Place::line(path, number));
                    return Err(error.hint("write each bank to a file of its own"));
                }
                bank = Some((number, points_of(text).map_err(|error| error.at(Place::line(path, number)))?));
            }
            (Line::Text(text), None) => reader.header(text),
            (Line::Text(text), Some(_)) => reader.line(number, text)?,
        }
    }
    let Some((line, promised)) = bank else {
        return Err(refused(path, "has no BANK line, so it is no GSAS file").hint("rename it to .xye if its columns are x, y and sigma"));
    };
    let mut sheet = reader.finish(Kind::WithSigma)?;
    let (rows, columns) = sheet.values.dim();
    if rows != promised || columns != 3 {
        let what = format!("BANK promises {promised} points of 3 numbers; the file holds {rows} of {columns}");
        return Err(Error::recoverable(what).at(Place::line(path, line)).hint("is the file complete?"));
    }
    sheet.values.column_mut(0).mapv_inplace(|centidegrees| centidegrees / 100.0);
    Ok(sheet)
}

/// Number of points that `BANK 1 12799 12799 CONS 50.0 0.2 0 0 FXYE` promises.
fn points_of(bank: &[u8]) -> Result<usize> {
    let text = String::from_utf8_lossy(bank);
    let words: Vec<&str> = text.split_whitespace().collect();
    let kind = words.last().copied().unwrap_or("");
    if kind != "FXYE" {
        let found = if kind.chars().all(|c| c.is_ascii_uppercase()) { kind } else { "STD" };
        return Err(
            Error::recoverable(format!("the bank is of type {found}; only FXYE is read")).hint("convert it to columns: x, y, sigma")
        );
    }
    if !words.get(4).is_some_and(|bins| bins.starts_with("CON")) {
        return Err(
            Error::recoverable("the bank is not of constant steps: time of flight is not read").hint("convert it to columns: x, y, sigma")
        );
    }
    let points = words.get(2).and_then(|n| n.parse().ok());
    points.ok_or_else(|| Error::recoverable("the BANK line does not say how many points there are"))
}
