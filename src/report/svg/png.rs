//! A small picture as PNG: a heat map would be a hundred thousand elements otherwise.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A picture of black of varying opacity, row by row from the top: dark where there is much, in whatever colours the page has.
pub(in crate::report) fn grey(width: usize, height: usize, opacity: &[u8]) -> Vec<u8> {
    let mut rows = Vec::with_capacity((2 * width + 1) * height);
    for row in opacity.chunks_exact(width.max(1)) {
        rows.push(0);
        rows.extend(row.iter().flat_map(|a| [0, *a]));
    }
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    // Eight bits a sample, grey with alpha, deflate, no filter, no interlace.
    header.extend([8, 4, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"IDAT", &deflated(&rows));
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail; a picture that is none would only not be shown.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let from = png.len();
    png.extend(kind);
    png.extend(data);
    let mut crc = flate2::Crc::new();
    crc.update(&png[from..]);
    png.extend(crc.sum().to_be_bytes());
}

/// A picture as an address that holds it.
pub(in crate::report) fn data_uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", base64(png))
}

/// Base 64 (RFC 4648).
pub(in crate::report) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_64_letters() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_picture_has_its_size_and_its_checks() {
        let png = grey(3, 2, &[0, 128, 255, 1, 2, 3]);
        assert_eq!(&png[16..24], &[0, 0, 0, 3, 0, 0, 0, 2]);
        assert_eq!(&png[png.len() - 4..], &0xae42_6082u32.to_be_bytes());
    }
}
