//! Readers of data files, on good, odd and hostile input.
