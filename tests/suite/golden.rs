//! Every model against numbers from an independent source, on every engine.
