//! numpy's .npy files, versions 1 to 3: integers and floats of either byte order, in C or Fortran order, of one or two dimensions.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::path::Path;

use ndarray::{Array2, ShapeBuilder};

use super::sheet::{Kind, Sheet, refused};
use crate::error::{Error, Result};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether the bytes begin as a .npy file does.
pub(super) fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads an array; one of one dimension becomes a single column.
///
/// # Errors
/// Recoverable: not a .npy file, cut short, of another type of number, or of no or more than two dimensions.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Sheet> {
    let fail = |what: &str| refused(path, what).hint("write it with numpy.save(name, array.astype(float)), of one or two dimensions");
    let (header, data) = split(bytes).ok_or_else(|| fail("is not a complete .npy file"))?;
    let header = Header::parse(header).ok_or_else(|| fail("has a header that numpy does not write for an array of numbers"))?;
    let (rows, columns) = match *header.shape.as_slice() {
        [n] => (n, 1),
        [rows, columns] => (rows, columns),
        _ => return Err(fail(&format!("holds an array of {} dimensions", header.shape.len()))),
    };
    let values = numbers(data, &header.descr).ok_or_else(|| fail(&format!("holds numbers of type {}", header.descr)))?;
    if rows == 0 || columns == 0 {
        return Err(refused(path, "holds an array without numbers").hint("measure it again, or leave it out of `files`"));
    }
    if Some(values.len()) != rows.checked_mul(columns) {
        return Err(fail(&format!("promises {rows} × {columns} numbers and holds {}", values.len())));
    }
    let shape = (rows, columns).set_f(header.fortran_order);
    let values = Array2::from_shape_vec(shape, values).map_err(|e| -> Error { fail(&format!("does not fit its shape: {e}")) })?;
    Ok(Sheet { kind: Kind::Array, values, lines: Vec::new(), names: Vec::new(), metadata: Vec::new() })
}

/// The text of the header and the bytes of the numbers.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
        }
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// What the header's Python dictionary says.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Option<Self> {
        let after = |key: &str| Some(text.split_once(key)?.1.trim_start().strip_prefix(':')?.trim_start());
        let descr = after("'descr'")?.strip_prefix('\'')?.split_once('\'')?.0.to_string();
        let fortran_order = after("'fortran_order'")?.starts_with("True");
        let inside = after("'shape'")?.strip_prefix('(')?.split_once(')')?.0;
        let sizes = inside.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape = sizes.map(|size| size.parse().ok()).collect::<Option<Vec<usize>>>()?;
        Some(Self { descr, fortran_order, shape })
    }
}

/// All whole numbers of the data as f64 (64-bit integers beyond 2⁵³ are rounded); none where the type is not read.
fn numbers(data: &[u8], descr: &str) -> Option<Vec<f64>> {
    macro_rules! read {
        ($type:ty, $big:expr) => {{
            let (chunks, _) = data.as_chunks::<{ size_of::<$type>() }>();
            let value = |c: &[u8; size_of::<$type>()]| (if $big { <$type>::from_be_bytes(*c) } else { <$type>::from_le_bytes(*c) }) as f64;
            Some(chunks.iter().map(value).collect())
        }};
    }
    let (order, kind) = descr.split_at_checked(1)?;
    let big = match order {
        "<" | "|" => false,
        ">" => true,
        "=" => cfg!(target_endian = "big"),
        _ => return None,
    };
    match kind {
        "f4" => read!(f32, big),
        "f8" => read!(f64, big),
        "i1" => read!(i8, big),
        "i2" => read!(i16, big),
        "i4" => read!(i32, big),
        "i8" => read!(i64, big),
        "u1" => read!(u8, big),
        "u2" => read!(u16, big),
        "u4" => read!(u32, big),
        "u8" => read!(u64, big),
        _ => None,
    }
}
