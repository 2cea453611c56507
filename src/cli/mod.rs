//! cli.

pub mod init;
pub mod models;
