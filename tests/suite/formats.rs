//! Readers of data files, on good, odd and hostile input.

mod hostile;
mod measured;
mod series;
mod summary;
mod text;

use std::fs;
use std::path::Path;

use keisoku::dataset::{Dataset, Frame};
use keisoku::error::Result;
use keisoku::spec::{Data, FrameTable, Layout, XAxis};
use tempfile::TempDir;

/// `[data]` of a spec that says nothing but folder and files.
fn data(folder: &Path, files: &str) -> Data {
    Data {
        folder: folder.into(),
        files: files.into(),
        columns: Vec::new(),
        layout: Layout::Columns,
        x: XAxis { name: "two_theta".into(), unit: "deg".into(), file: None, start_step: None },
        wavelength: None,
        wavelength2: None,
        normalise: None,
        mask_above: None,
        frames: None,
        axis_header: None,
    }
}

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("a temporary file");
    }
    folder
}

fn columns(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_string).collect()
}

/// The first frame of a single file, read as the spec says after `change`.
fn read_as(name: &str, bytes: impl AsRef<[u8]>, change: impl FnOnce(&mut Data)) -> Result<Frame> {
    let folder = folder(&[(name, bytes.as_ref())]);
    let mut data = data(folder.path(), name);
    change(&mut data);
    let dataset = Dataset::open(&data)?;
    dataset.load(&dataset.entries[0], &data)
}

/// The first frame of a single file whose spec says nothing.
fn read(name: &str, bytes: impl AsRef<[u8]>) -> Result<Frame> {
    read_as(name, bytes, |_| {})
}

/// The text of an error, with the folder's name cut off the file.
fn refusal(result: Result<Frame>) -> String {
    let error = result.expect_err("this must be refused");
    assert!(error.place.file.is_some(), "an error without a file: {error}");
    assert!(error.hint.is_some(), "an error without a hint: {error}");
    let mut error = error;
    error.place.file = error.place.file.and_then(|file| Some(file.file_name()?.into()));
    error.to_string()
}

/// A `.npy` file of version `major`.0.
fn npy(major: u8, descr: &str, fortran: bool, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([major, 0]);
    if major == 1 {
        bytes.extend((header.len() as u16).to_le_bytes());
    } else {
        bytes.extend((header.len() as u32).to_le_bytes());
    }
    bytes.extend(header.as_bytes());
    bytes.extend(numbers);
    bytes
}

fn table(path: std::path::PathBuf, key: &str, by_number: bool, axis: Option<&str>) -> FrameTable {
    FrameTable { table: path, key: key.into(), by_number, axis: axis.map(str::to_string) }
}
