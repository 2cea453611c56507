//! A verb that makes data sets of its own, run on a spec in a folder of its own.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

/// A spec in a folder, and `keisoku VERB` of it.
pub struct Verb {
    pub folder: TempDir,
    word: &'static str,
}

impl Verb {
    pub fn new(word: &'static str, spec: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spec.toml"), spec).unwrap();
        Self { folder, word }
    }

    /// Exit code and everything told.
    pub fn run(&self, out: &str, more: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keisoku"));
        let done = command.current_dir(self.folder.path()).args([self.word, "spec.toml", "--out", out]).args(more).output().unwrap();
        let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        println!("{told}");
        (done.status.code(), told)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}
