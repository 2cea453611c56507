//! The structure of the source tree: direction of use, twins, constants that two languages share.

mod direction;
mod pages;
mod twins;
