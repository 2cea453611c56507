//! What a spec's defaults need to know of a series, window after window.

use super::{Dataset, SeriesSummary};
use crate::error::Result;
use crate::spec::{self, RawSpec};

impl Dataset {
    /// Summaries of all stretches of a spec, for [`RawSpec::resolve`]. Reads up to 1000 evenly spaced frames.
    ///
    /// # Errors
    /// Where `[data]` makes no sense, no frame can be read, or none has a point in a window.
    pub fn summaries(&self, spec: &RawSpec) -> Result<Vec<spec::SeriesSummary>> {
        let data = spec.data()?;
        let everything = (f64::NEG_INFINITY, f64::INFINITY);
        spec.stretches()
            .map(|stretch| {
                let range = stretch.range.as_ref().map_or(everything, |r| *r.get_ref());
                Ok(SeriesSummary::of(self, &data, range, &stretch.exclude)?.into())
            })
            .collect()
    }
}

impl From<SeriesSummary> for spec::SeriesSummary {
    fn from(series: SeriesSummary) -> Self {
        let SeriesSummary { x, spacing, y, area, noise, counts, sigma, .. } = series;
        Self { x, spacing, y, area, noise, counts, sigma: sigma.is_some() }
    }
}
