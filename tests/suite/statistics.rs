//! Free energies, error bars and coverage against exact answers.
