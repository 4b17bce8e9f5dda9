//! Field elements to points: the map and the group of curve25519_XMD:SHA-512_ELL2_RO_ (RFC 9380).
//!
//! The curve is y² = x³ + J·x² + x with J = 486662. A pair (u₀, u₁) goes by Elligator 2 (§6.7.1)
//! to two points, which are added and multiplied by the cofactor 8; x of the result is the hash.
//! x stays a fraction until the end, so that a block pays for one inversion. Infinity has x = 0,
//! as in X25519. Line for line this is `psi/elligator.py`, which says more.

use super::field::Element;
use crate::tier::BLOCK;
use crate::{Pair, Point};

const J: Element = Element::from_limbs([486_662, 0, 0, 0, 0]);
const J_SQUARED: Element = Element::from_limbs([486_662 * 486_662, 0, 0, 0, 0]);
/// i² = −1.
const I: Element = Element::from_limbs([
    0x61b274a0ea0b0,
    0x0d5a5fc8f189d,
    0x7ef5e9cbd0c60,
    0x78595a6804c9e,
    0x2b8324804fc1d,
]);

/// x = numerator / denominator; a denominator of 0 is infinity.
#[derive(Clone, Copy)]
struct Fraction {
    numerator: Element,
    denominator: Element,
}

/// Maps each pair to a point of the group; see [`crate::tier::MapBlock`].
pub(crate) fn map_block(pairs: &[Pair], out: &mut [Point]) {
    let mut totals = [Fraction { numerator: Element::ZERO, denominator: Element::ONE }; BLOCK];
    let totals = &mut totals[..pairs.len()];
    for (total, [u0, u1]) in totals.iter_mut().zip(pairs) {
        let (x0, y0) = map(Element::from_bytes(u0));
        let (x1, y1) = map(Element::from_bytes(u1));
        *total = double(double(double(add(x0, y0, x1, y1))));
    }
    divide(totals, out);
}

/// Returns x as a fraction, and y, of Elligator 2 for one u.
///
/// Let d = 1 + 2u², x₁ = −J/d and x₂ = 2u²·x₁. Then g(x₂) = 2u²·g(x₁) and one of the two is a
/// square. y is odd when x₁ is taken, and even when x₂ is.
fn map(u: Element) -> (Fraction, Element) {
    let t = u.square().double();
    let d = t + Element::ONE; // never 0: −1/2 is no square
    let d2 = d.square();
    let g = -(J * (d2 - J_SQUARED * t)); // g(x₁) = g/d³
    let (y, first) = root(g, d2 * d, u);
    let numerator = Element::select(first, -J, -(J * t));
    let y = Element::select(y.is_odd() ^ first, -y, y);
    (Fraction { numerator, denominator: d }, y)
}

/// Returns (a root of g/h, 1) where g/h is a square, else (a root of 2u²·g/h, 0).
///
/// r = g·h³·(g·h⁷)^((p−5)/8) satisfies r²·h = ω·g for a fourth root of unity ω. ω = 1 and ω = −1
/// are the squares, mended by 1 and i; ω = −i and ω = i want a root of 2u²/ω, and 1 + i is a root
/// of 2i, as i·(1 + i) is one of −2i.
fn root(g: Element, h: Element, u: Element) -> (Element, u8) {
    let h2 = h.square();
    let gh3 = h2 * h * g;
    let r = (h2.square() * gh3).power_p58() * gh3;
    let residue = r.square() * h;
    let is_one = residue.equals(g);
    let square = is_one | residue.equals(-g);
    let is_i = residue.equals(g * I);
    let root_2i = I + Element::ONE;
    let unity = Element::select(is_one, Element::ONE, I);
    let other = Element::select(is_i, root_2i * I, root_2i) * u;
    (r * Element::select(square, unity, other), square)
}

/// Returns x of (x₀, y₀) + (x₁, y₁), equal and opposite points included.
///
/// x₂ = ((y₁ − y₀)/(x₁ − x₀))² − J − x₀ − x₁. Opposite points make the fraction n/0 by themselves;
/// equal ones would make it 0/0 and are doubled instead.
fn add(x0: Fraction, y0: Element, x1: Fraction, y1: Element) -> Fraction {
    let cross0 = x0.numerator * x1.denominator;
    let cross1 = x1.numerator * x0.denominator;
    let run = cross1 - cross0;
    let rise = y1 - y0;
    let d = x0.denominator * x1.denominator;
    let run2 = run.square();
    let steps = (J * d + cross0 + cross1) * run2;
    let numerator = (rise * d).square() * d - steps;
    let denominator = run2 * d;
    let twice = double(x0);
    let equal = run.is_zero() & rise.is_zero();
    Fraction {
        numerator: Element::select(equal, twice.numerator, numerator),
        denominator: Element::select(equal, twice.denominator, denominator),
    }
}

/// Returns x of twice the point, by the Montgomery ladder's doubling (RFC 7748 §5).
fn double(x: Fraction) -> Fraction {
    let n2 = x.numerator.square();
    let d2 = x.denominator.square();
    let cross = x.numerator * x.denominator;
    let product = cross * (n2 + d2 + J * cross);
    Fraction { numerator: (n2 - d2).square(), denominator: product.double().double() }
}

/// Writes each fraction's value, and 0 for infinity, with one inversion for all of them.
fn divide(fractions: &mut [Fraction], out: &mut [Point]) {
    let mut before = [Element::ONE; BLOCK];
    let before = &mut before[..fractions.len()];
    let mut product = Element::ONE;
    for (before, fraction) in before.iter_mut().zip(fractions.iter_mut()) {
        let infinite = fraction.denominator.is_zero();
        fraction.denominator = Element::select(infinite, Element::ONE, fraction.denominator);
        fraction.numerator = Element::select(infinite, Element::ZERO, fraction.numerator);
        *before = product;
        product = product * fraction.denominator;
    }
    let mut inverse = product.invert();
    for ((image, fraction), before) in out.iter_mut().zip(fractions).zip(before).rev() {
        *image = (fraction.numerator * inverse * *before).to_bytes();
        inverse = inverse * fraction.denominator;
    }
}
