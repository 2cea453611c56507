//! What people look at: the report in a real browser, figures as files, and folders that lack something.

mod browser;
pub mod driver;
mod figures;
mod folder;
mod page;
mod plot;
mod sampled;
