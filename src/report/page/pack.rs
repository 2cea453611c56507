//! Text made small for a page: deflate, then base 64; the page unpacks it with the browser's own DecompressionStream.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::report::svg::base64;

/// Text as the page unpacks it.
pub(super) fn packed(bytes: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    base64(&encoder.finish().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_small_and_harmless() {
        let text = "<script>".repeat(1000);
        let packed = packed(text.as_bytes());
        assert!(packed.len() < 200 && !packed.contains('<'));
    }
}
