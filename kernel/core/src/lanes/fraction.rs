//! Fractions of field elements, and one inversion for a block of them.

use super::field::{Compiled, Field};
use super::power::invert;
use crate::Point;

/// numerator / denominator; a denominator of 0 is infinity.
#[derive(Clone, Copy)]
pub(crate) struct Fraction<F: Field> {
    pub(crate) numerator: F::Factor,
    pub(crate) denominator: F::Factor,
}

impl<F: Field> Fraction<F> {
    /// Returns the value 0.
    #[inline(always)]
    pub(crate) fn zero(f: F) -> Self {
        Self { numerator: f.constant([0; 4]), denominator: f.constant([1, 0, 0, 0]) }
    }
}

/// Writes each fraction's value, and 0 for infinity, with one inversion for all of them.
///
/// Montgomery's trick: "Speeding the Pollard and elliptic curve methods of factorization" (1987),
/// §10.3.1. `N` is the most fractions there may be.
#[inline(always)]
pub(crate) fn divide<F: Compiled, const N: usize>(
    f: F,
    fractions: &mut [Fraction<F>],
    out: &mut [Point],
) {
    let (zero, one) = (f.constant([0; 4]), f.constant([1, 0, 0, 0]));
    let mut before = [one; N];
    let mut product = one;
    for (before, fraction) in before.iter_mut().zip(fractions.iter_mut()) {
        let infinite = f.is_zero(&fraction.denominator);
        fraction.denominator = f.select(infinite, &one, &fraction.denominator);
        fraction.numerator = f.select(infinite, &zero, &fraction.numerator);
        *before = product;
        product = f.times(&product, &fraction.denominator);
    }
    let mut inverse = invert(f, &product);
    let images = out.chunks_mut(F::LANES);
    for ((image, fraction), before) in images.zip(fractions).zip(&before).rev() {
        let own = f.times(&inverse, before);
        f.store(&f.times(&fraction.numerator, &own), image);
        inverse = f.times(&inverse, &fraction.denominator);
    }
}
