//! The parameters of all places, as walks read them: the values of one parameter side by side.

use crate::models::ABREAST;

/// Of every place the values of all parameters.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// Parameter after parameter, and of each place after place.
    values: Vec<f64>,
    /// From one parameter to the next: places, and what fills the last ones' lanes.
    stride: usize,
}

impl Parameters {
    /// Zeros, of so many parameters at so many places.
    pub fn new(parameters: usize, places: usize) -> Self {
        let stride = places.next_multiple_of(ABREAST);
        Self { values: vec![0.0; parameters * stride], stride }
    }

    /// Those of one place, in order.
    pub fn row(&self, place: usize) -> impl Iterator<Item = f64> {
        self.values[place.min(self.values.len())..].iter().step_by(self.stride.max(1)).copied()
    }

    /// New ones for a place.
    pub fn set(&mut self, place: usize, row: &[f64]) {
        let place = place.min(self.values.len());
        let own = self.values[place..].iter_mut().step_by(self.stride.max(1));
        own.zip(row).for_each(|(value, new)| *value = *new);
    }

    /// What two places have changes places.
    pub fn swap(&mut self, a: usize, b: usize) {
        for from in (0..self.values.len()).step_by(self.stride.max(1)) {
            self.values.swap(from + a, from + b);
        }
    }

    /// One parameter at the places from one on, as many as are abreast.
    #[inline(always)]
    pub fn abreast(&self, parameter: usize, first: usize) -> &[f64] {
        &self.values[parameter * self.stride + first..][..ABREAST]
    }

    /// The same, to be changed.
    #[inline(always)]
    pub fn abreast_mut(&mut self, parameter: usize, first: usize) -> &mut [f64] {
        &mut self.values[parameter * self.stride + first..][..ABREAST]
    }
}
