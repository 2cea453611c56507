//! Every engine against the oracle, move by move.
