//! The Montgomery ladder on vectors of points, one scalar for all of them (RFC 7748 §5).
//!
//! The curve is y² = x³ + 486662·x² + x. Only u, as a fraction X/Z, is computed: Costello and
//! Smith, "Montgomery curves and their arithmetic" (2017), algorithms 1, 2 and 4.

use super::field::Field;
use super::fraction::Fraction;
use crate::scalar::LaneBits;
use crate::secret::SecretBits;

/// (486662 − 2)/4, as in RFC 7748.
const A24: u32 = 121_665;

/// What the next step needs of a point X : Z.
#[derive(Clone, Copy)]
struct Sides<F: Field> {
    /// X + Z.
    plus: F::Factor,
    /// X − Z.
    minus: F::Factor,
}

impl<F: Field> Sides<F> {
    #[inline(always)]
    fn of(f: F, x: &F::Minuend, z: &F::Product) -> Self {
        Self { plus: f.carry(f.add(x, z)), minus: f.carry(f.subtract(x, z)) }
    }

    #[inline(always)]
    fn select(f: F, mask: F::Mask, yes: &Self, no: &Self) -> Self {
        Self {
            plus: f.select(mask, &yes.plus, &no.plus),
            minus: f.select(mask, &yes.minus, &no.minus),
        }
    }

    /// Returns (X + Z)² and (X − Z)².
    #[inline(always)]
    fn squares(&self, f: F) -> (F::Minuend, F::Product) {
        (f.square_to_minuend(&self.plus), f.square(&self.minus))
    }

    #[inline(always)]
    fn double(&self, f: F) -> (F::Minuend, F::Product) {
        let (plus2, minus2) = self.squares(f);
        double(f, plus2, minus2)
    }
}

/// Returns X and Z of twice the point, from (X + Z)² and (X − Z)².
#[inline(always)]
fn double<F: Field>(f: F, plus2: F::Minuend, minus2: F::Product) -> (F::Minuend, F::Product) {
    let (cross, x) = double_x(f, plus2, minus2);
    let slope = slope(f, &plus2, &cross);
    (x, f.multiply(&cross, &slope))
}

/// Returns 4·X·Z of the point, and X of twice the point.
#[inline(always)]
fn double_x<F: Field>(f: F, plus2: F::Minuend, minus2: F::Product) -> (F::Factor, F::Minuend) {
    let cross = f.carry(f.subtract(&plus2, &minus2));
    (cross, f.multiply_to_minuend(&f.carry(plus2), &f.carry(minus2)))
}

/// Returns Z of twice the point over 4·X·Z.
#[inline(always)]
fn slope<F: Field>(f: F, plus2: &F::Minuend, cross: &F::Factor) -> F::Factor {
    f.carry(f.add_scaled(plus2, cross, A24))
}

/// Returns u of scalar·P for each P given by its u; a point of low order gives Z = 0.
///
/// The scalars are those of the lanes from `first` on. A clamped one is 2²⁵⁴ + 8·m. So the ladder
/// starts at P and 2·P, goes through the bits 253 to 3 and ends with three doublings.
#[inline(always)]
pub(crate) fn ladder<F: Field>(
    f: F,
    u: &F::Factor,
    scalars: &LaneBits,
    first: usize,
) -> Fraction<F> {
    let one = f.constant([1, 0, 0, 0]);
    // Of the two points R and R + P one was doubled in the last step, the other added.
    let mut added = Sides::of(f, &f.minuend(u), &f.product(&one));
    let (x, z) = added.double(f);
    let mut doubled = Sides::of(f, &x, &z);
    let mut last = !0; // R + P = 2·P is the doubled one
    for index in (3..254).rev() {
        let bits = scalars.eight(index, first);
        let swap = f.mask(SecretBits::new(bits ^ last));
        last = bits;
        (doubled, added) = step(f, &doubled, &added, swap, u);
    }
    let mut total = Sides::select(f, f.mask(SecretBits::new(last)), &added, &doubled);
    for _ in 0..2 {
        let (x, z) = total.double(f);
        total = Sides::of(f, &x, &z);
    }
    let (x, z) = total.double(f);
    Fraction { numerator: f.carry(x), denominator: f.carry(z) }
}

/// Doubles one of two points, `other` where `swap` says so, and adds the two.
///
/// The two take turns, so that what follows seldom waits for what stands right before it.
#[inline(always)]
fn step<F: Field>(
    f: F,
    this: &Sides<F>,
    other: &Sides<F>,
    swap: F::Mask,
    u: &F::Factor,
) -> (Sides<F>, Sides<F>) {
    let (plus2, minus2) = Sides::select(f, swap, other, this).squares(f);
    let da = f.multiply_to_minuend(&other.minus, &this.plus);
    let cb = f.multiply(&other.plus, &this.minus);
    let (cross, x) = double_x(f, plus2, minus2);
    let sum = f.carry(f.add(&da, &cb));
    let difference = f.carry(f.subtract(&da, &cb));
    let slope = slope(f, &plus2, &cross);
    let added_x = f.square_to_minuend(&sum);
    let difference2 = f.carry(f.square(&difference));
    let z = f.multiply(&cross, &slope);
    let added_z = f.multiply(&difference2, u);
    (Sides::of(f, &x, &z), Sides::of(f, &added_x, &added_z))
}
