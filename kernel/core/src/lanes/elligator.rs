//! Field elements to points: the map and the group of curve25519_XMD:SHA-512_ELL2_RO_ (RFC 9380).
//!
//! Formula for formula this is `portable/elligator.rs`, on vectors. A pair (u₀, u₁) goes by
//! Elligator 2 (§6.7.1) to two points, which are added and multiplied by the cofactor 8; x of the
//! result is the hash. x stays a fraction until the end. Infinity has x = 0, as in X25519.

use super::field::Compiled;
use super::fraction::Fraction;
use super::number::Number;
use super::power::power_p58;

const J: u32 = 486_662;
/// i² = −1, as 64-bit words: 2^((p − 1)/4).
const I: [u64; 4] =
    [0xc4ee1b274a0ea0b0, 0x2f431806ad2fe478, 0x2b4d00993dfbd7a7, 0x2b8324804fc1df0b];

/// x = numerator / denominator of vectors of points; a denominator of 0 is infinity.
#[derive(Clone, Copy)]
struct X<F: Compiled> {
    numerator: Number<F>,
    denominator: Number<F>,
}

/// Returns x of 8·(map(u₀) + map(u₁)), lane by lane.
#[inline(always)]
pub(super) fn map_pairs<F: Compiled>(f: F, u: [F::Factor; 2]) -> Fraction<F> {
    let zero = Number::new(f, f.constant([0; 4]));
    let mut points = [(X { numerator: zero, denominator: zero }, zero); 2];
    for (point, u) in points.iter_mut().zip(u) {
        *point = map(f, Number::new(f, u));
    }
    let [(x0, y0), (x1, y1)] = points;
    let mut total = add(x0, y0, x1, y1);
    for _ in 0..3 {
        total = double(total);
    }
    Fraction { numerator: total.numerator.factor, denominator: total.denominator.factor }
}

/// Returns x as a fraction, and y, of Elligator 2 for each u.
///
/// Let d = 1 + 2u², x₁ = −J/d and x₂ = 2u²·x₁. Then g(x₂) = 2u²·g(x₁) and one of the two is a
/// square. y is odd when x₁ is taken, and even when x₂ is.
#[inline(always)]
fn map<F: Compiled>(f: F, u: Number<F>) -> (X<F>, Number<F>) {
    let one = Number::new(f, f.constant([1, 0, 0, 0]));
    let t = u.square().scale(2);
    let d = t + one; // never 0: −1/2 is no square
    let d2 = d.square();
    let g = -(d2 - t.scale(J).scale(J)).scale(J); // g(x₁) = g/d³
    let (y, first) = root(f, g, d2 * d, u);
    let odd = Number::select(y.is_odd(), y, -y);
    let numerator = Number::select(first, -one.scale(J), -t.scale(J));
    (X { numerator, denominator: d }, Number::select(first, odd, -odd))
}

/// Returns (a root of g/h, yes) where g/h is a square, else (a root of 2u²·g/h, no).
///
/// r = g·h³·(g·h⁷)^((p−5)/8) satisfies r²·h = ω·g for a fourth root of unity ω. ω = 1 and ω = −1
/// are the squares, mended by 1 and i; ω = −i and ω = i want a root of 2u²/ω, and 1 + i is a root
/// of 2i, as i·(1 + i) is one of −2i. g = 0 counts as a square: both of its roots are 0.
#[inline(always)]
fn root<F: Compiled>(f: F, g: Number<F>, h: Number<F>, u: Number<F>) -> (Number<F>, F::Mask) {
    let one = Number::new(f, f.constant([1, 0, 0, 0]));
    let i = Number::new(f, f.constant(I));
    let h2 = h.square();
    let gh3 = h2 * h * g;
    let r = Number::new(f, power_p58(f, &(h2.square() * gh3).factor)) * gh3;
    let residue = r.square() * h;
    let (is_one, is_minus_one) = (residue.equals(g), residue.equals(-g));
    let root_2i = i + one;
    let other = Number::select(residue.equals(i * g), root_2i * i, root_2i) * u;
    let unity = Number::select(is_one, one, Number::select(is_minus_one, i, other));
    (r * unity, f.either(is_one, is_minus_one))
}

/// Returns x of (x₀, y₀) + (x₁, y₁), equal and opposite points included.
///
/// x₂ = ((y₁ − y₀)/(x₁ − x₀))² − J − x₀ − x₁. Opposite points make the fraction n/0 by themselves;
/// equal ones would make it 0/0 and are doubled instead.
#[inline(always)]
fn add<F: Compiled>(x0: X<F>, y0: Number<F>, x1: X<F>, y1: Number<F>) -> X<F> {
    let cross0 = x0.numerator * x1.denominator;
    let cross1 = x1.numerator * x0.denominator;
    let run = cross1 - cross0;
    let rise = y1 - y0;
    let d = x0.denominator * x1.denominator;
    let run2 = run.square();
    let steps = (d.scale(J) + cross0 + cross1) * run2;
    let sum = X { numerator: (rise * d).square() * d - steps, denominator: run2 * d };
    let same_x = X::select(rise.is_zero(), double(x0), sum);
    X::select(run.is_zero(), same_x, sum)
}

/// Returns x of twice the point, by the Montgomery ladder's doubling (RFC 7748 §5).
#[inline(always)]
fn double<F: Compiled>(x: X<F>) -> X<F> {
    let n2 = x.numerator.square();
    let d2 = x.denominator.square();
    let cross = x.numerator * x.denominator;
    let slope = n2 + d2 + cross.scale(J);
    X { numerator: (n2 - d2).square(), denominator: (cross * slope).scale(4) }
}

impl<F: Compiled> X<F> {
    #[inline(always)]
    fn select(mask: F::Mask, yes: Self, no: Self) -> Self {
        Self {
            numerator: Number::select(mask, yes.numerator, no.numerator),
            denominator: Number::select(mask, yes.denominator, no.denominator),
        }
    }
}
