//! The executable in a fresh folder: verbs, exit codes, files, resume.
