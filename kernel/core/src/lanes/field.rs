//! What a vector tier has to give: arithmetic modulo p = 2²⁵⁵ − 19 on several elements at once.

use super::fraction::Fraction;
use crate::Point;
use crate::scalar::LaneBits;
use crate::secret::SecretBits;

/// Arithmetic on vectors of field elements, one element a lane.
///
/// The value that implements this is the proof that the processor has the instructions: it can
/// only be had where they were found. The types say how large limbs may be. Each tier states its
/// bounds beside them, and the tests check them with big integers; what a bound does not allow
/// does not compile. No operation branches or addresses memory by the value of an element.
pub(crate) trait Field: Copy {
    /// How many elements a vector holds.
    const LANES: usize;

    /// Carried: what may be multiplied.
    type Factor: Copy;
    /// What a multiplication gives: it may be added, and subtracted from a `Minuend`.
    type Product: Copy;
    /// A product and a multiple of p that is larger than any product, limb by limb.
    type Minuend: Copy;
    /// What an addition or a subtraction gives. It has to be carried before anything else.
    type Sum: Copy + From<Self::Product> + From<Self::Minuend>;
    /// Yes or no, lane by lane.
    type Mask: Copy;

    /// Returns the same element in every lane, from words of 64 bits, the least significant first.
    fn constant(self, words: [u64; 4]) -> Self::Factor;

    /// Reads `LANES` elements, ignoring the top bit of each; missing ones are 0.
    fn load<'a>(self, points: impl Iterator<Item = &'a Point>) -> Self::Factor;

    /// Writes the canonical elements of the first lanes, as many as there is room for.
    fn store(self, x: &Self::Factor, out: &mut [Point]);

    /// Returns x·y.
    fn multiply(self, x: &Self::Factor, y: &Self::Factor) -> Self::Product;

    /// Returns x·y, to subtract from.
    fn multiply_to_minuend(self, x: &Self::Factor, y: &Self::Factor) -> Self::Minuend;

    /// Returns x².
    fn square(self, x: &Self::Factor) -> Self::Product;

    /// Returns x², to subtract from.
    fn square_to_minuend(self, x: &Self::Factor) -> Self::Minuend;

    /// Returns x as a product, to add or to subtract it.
    fn product(self, x: &Self::Factor) -> Self::Product;

    /// Returns x as a minuend, to subtract from it.
    fn minuend(self, x: &Self::Factor) -> Self::Minuend;

    /// Returns x + y.
    fn add(self, x: &Self::Minuend, y: &Self::Product) -> Self::Sum;

    /// Returns x − y.
    fn subtract(self, x: &Self::Minuend, y: &Self::Product) -> Self::Sum;

    /// Returns x + k·y, where k < 2¹⁹.
    fn add_scaled(self, x: &Self::Minuend, y: &Self::Factor, k: u32) -> Self::Sum;

    /// Returns the same element with limbs small enough to be multiplied.
    fn carry(self, x: impl Into<Self::Sum>) -> Self::Factor;

    /// Returns yes in each lane whose bit is 1, and no where it is 0. The bits may be secret.
    fn mask(self, bits: SecretBits) -> Self::Mask;

    /// Says where x is 0 modulo p.
    fn is_zero(self, x: &Self::Factor) -> Self::Mask;

    /// Says where the canonical representative of x is odd.
    fn is_odd(self, x: &Self::Factor) -> Self::Mask;

    /// Says where either mask says yes.
    fn either(self, x: Self::Mask, y: Self::Mask) -> Self::Mask;

    /// Returns `yes` where the mask says yes, and `no` elsewhere.
    fn select(self, mask: Self::Mask, yes: &Self::Factor, no: &Self::Factor) -> Self::Factor;
}

/// What a tier compiles once, as functions of its own, where inlining would only make code longer.
///
/// A function with target features cannot be generic, so each tier writes these three down.
pub(crate) trait Compiled: Field {
    /// Returns x·y, carried.
    fn times(self, x: &Self::Factor, y: &Self::Factor) -> Self::Factor;

    /// Returns x^(2^times), carried.
    fn square_times(self, x: &Self::Factor, times: usize) -> Self::Factor;

    /// Returns [`super::ladder`] of these. The checks of the compiled code look at this function.
    fn ladder(self, u: &Self::Factor, scalars: &LaneBits) -> Fraction<Self>;
}
