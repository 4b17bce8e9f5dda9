//! Arithmetic modulo p = 2²⁵⁵ − 19 in eight lanes, radix 2⁵², on IFMA's 52-bit multipliers.
//!
//! An element is x₀ + x₁·2⁵² + x₂·2¹⁰⁴ + x₃·2¹⁵⁶ + x₄·2²⁰⁸. Two facts make this radix pay. The
//! multiplier reads its operands modulo 2⁵², so a carry need not clear what it carried. And the
//! halves of a product fall on limbs without a shift, where radix 2⁵¹ has to double one of them.
//! The element has 5 bits more room than p: 2²⁶⁰ = 32·19 = 608 modulo p.

use super::vector::{Ifma, Lanes, V};
use crate::Point;
use crate::lanes::{Field, SecretBits};

pub(super) const LIMBS: usize = 5;
/// 2²⁶⁰ modulo p.
const FOLD: u64 = 608;
const LOW_52: u64 = (1 << 52) - 1;
const LOW_47: u64 = (1 << 47) - 1;
/// 512·p, limb by limb: each limb is larger than a product's.
pub(super) const BIAS: [u64; LIMBS] =
    [(LOW_52 - 18) << 9, LOW_52 << 9, LOW_52 << 9, LOW_52 << 9, LOW_47 << 9];

/// Limbs 0 to 3 count modulo 2⁵²: what is above is not part of the element. Limb 4 < 2⁴⁷ + 2¹².
#[derive(Clone, Copy)]
pub(crate) struct Factor(pub(super) [V; LIMBS]);

/// Every limb < 2⁵⁶ − 2⁹, all of it part of the element.
#[derive(Clone, Copy)]
pub(crate) struct Product(pub(super) [V; LIMBS]);

/// Every limb ≥ [`BIAS`] and < [`BIAS`] + 2⁵⁶.
#[derive(Clone, Copy)]
pub(crate) struct Minuend(pub(super) [V; LIMBS]);

/// Every limb < 2⁶³.
#[derive(Clone, Copy)]
pub(crate) struct Sum(pub(super) [V; LIMBS]);

impl From<Product> for Sum {
    #[inline(always)]
    fn from(x: Product) -> Self {
        Self(x.0)
    }
}

impl From<Minuend> for Sum {
    #[inline(always)]
    fn from(x: Minuend) -> Self {
        Self(x.0)
    }
}

impl Ifma {
    #[inline(always)]
    fn splat_limbs(self, limbs: [u64; LIMBS]) -> [V; LIMBS] {
        let [x0, x1, x2, x3, x4] = limbs;
        [self.splat(x0), self.splat(x1), self.splat(x2), self.splat(x3), self.splat(x4)]
    }

    /// Returns x·y + start. Without `start` each limb is at most 10·(2⁵² − 1) + 607 < 2⁵⁶ − 2⁹:
    /// column 4 has five low halves, four high ones and two from the fold.
    #[inline(always)]
    fn multiply_onto(self, start: [V; LIMBS], x: &Factor, y: &Factor) -> [V; LIMBS] {
        let (x, y) = (&x.0, &y.0);
        let mut z = self.columns(start);
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                z[i + j] = self.add_low(z[i + j], x[i], y[j]);
                z[i + j + 1] = self.add_high(z[i + j + 1], x[i], y[j]);
            }
        }
        self.fold(z)
    }

    /// Returns x² + 2·half, with the columns of `multiply_onto`: each mixed product is computed
    /// once, and the sum of a column's doubled.
    #[inline(always)]
    fn square_onto(self, half: [V; LIMBS], x: &Factor) -> [V; LIMBS] {
        let x = &x.0;
        let mut z = self.columns(half);
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                z[i + j] = self.add_low(z[i + j], x[i], x[j]);
                z[i + j + 1] = self.add_high(z[i + j + 1], x[i], x[j]);
            }
        }
        for column in &mut z {
            *column = self.add64(*column, *column);
        }
        for i in 0..LIMBS {
            z[2 * i] = self.add_low(z[2 * i], x[i], x[i]);
            z[2 * i + 1] = self.add_high(z[2 * i + 1], x[i], x[i]);
        }
        self.fold(z)
    }

    #[inline(always)]
    fn columns(self, start: [V; LIMBS]) -> [V; 2 * LIMBS] {
        let mut z = [self.splat(0); 2 * LIMBS];
        z[..LIMBS].copy_from_slice(&start);
        z
    }

    /// Reduces ten columns, of which the upper five are < 2⁵⁵, to five limbs. The last is the high
    /// half of a product of two limbs 4 and a carry, so that 608 times it is < 2⁵²: it has no high
    /// half of its own.
    #[inline(always)]
    fn fold(self, mut z: [V; 2 * LIMBS]) -> [V; LIMBS] {
        let fold = self.splat(FOLD);
        for k in LIMBS..2 * LIMBS - 1 {
            z[k + 1] = self.add64(z[k + 1], self.shift_right::<52>(z[k]));
        }
        for k in 0..LIMBS {
            z[k] = self.add_low(z[k], z[k + LIMBS], fold);
        }
        for k in 1..LIMBS {
            z[k] = self.add_high(z[k], z[k - 1 + LIMBS], fold);
        }
        [z[0], z[1], z[2], z[3], z[4]]
    }
}

impl Field for Ifma {
    const LANES: usize = 8;

    type Factor = Factor;
    type Product = Product;
    type Minuend = Minuend;
    type Sum = Sum;
    type Mask = Lanes;

    #[inline(always)]
    fn constant(self, words: [u64; 4]) -> Factor {
        let [w0, w1, w2, w3] = words;
        self.split_words([self.splat(w0), self.splat(w1), self.splat(w2), self.splat(w3)])
    }

    #[inline(always)]
    fn load<'a>(self, points: impl Iterator<Item = &'a Point>) -> Factor {
        self.load_points(points)
    }

    #[inline(always)]
    fn store(self, x: &Factor, out: &mut [Point]) {
        self.store_points(x, out);
    }

    #[inline(always)]
    fn multiply(self, x: &Factor, y: &Factor) -> Product {
        Product(self.multiply_onto([self.splat(0); LIMBS], x, y))
    }

    #[inline(always)]
    fn multiply_to_minuend(self, x: &Factor, y: &Factor) -> Minuend {
        Minuend(self.multiply_onto(self.splat_limbs(BIAS), x, y))
    }

    #[inline(always)]
    fn square(self, x: &Factor) -> Product {
        Product(self.square_onto([self.splat(0); LIMBS], x))
    }

    #[inline(always)]
    fn square_to_minuend(self, x: &Factor) -> Minuend {
        Minuend(self.square_onto(self.splat_limbs(BIAS.map(|limb| limb / 2)), x))
    }

    #[inline(always)]
    fn product(self, x: &Factor) -> Product {
        let low = self.splat(LOW_52);
        let x = &x.0;
        Product([
            self.and(x[0], low),
            self.and(x[1], low),
            self.and(x[2], low),
            self.and(x[3], low),
            x[4],
        ])
    }

    #[inline(always)]
    fn minuend(self, x: &Factor) -> Minuend {
        let Product(mut x) = self.product(x);
        for k in 0..LIMBS {
            x[k] = self.add64(x[k], self.splat(BIAS[k]));
        }
        Minuend(x)
    }

    #[inline(always)]
    fn add(self, x: &Minuend, y: &Product) -> Sum {
        let mut z = x.0;
        for k in 0..LIMBS {
            z[k] = self.add64(z[k], y.0[k]);
        }
        Sum(z)
    }

    #[inline(always)]
    fn subtract(self, x: &Minuend, y: &Product) -> Sum {
        let mut z = x.0;
        for k in 0..LIMBS {
            z[k] = self.sub64(z[k], y.0[k]);
        }
        Sum(z)
    }

    #[inline(always)]
    fn add_scaled(self, x: &Minuend, y: &Factor, k: u32) -> Sum {
        let (mut z, y, k) = (x.0, &y.0, self.splat(u64::from(k)));
        for i in 0..LIMBS {
            z[i] = self.add_low(z[i], y[i], k);
        }
        for i in 1..LIMBS {
            z[i] = self.add_high(z[i], y[i - 1], k);
        }
        let above = self.add_high(self.splat(0), y[4], k); // < 2¹⁵
        z[0] = self.add_low(z[0], above, self.splat(FOLD));
        Sum(z)
    }

    /// Limb 4 ends < 2⁴⁷ + 2¹²: what it had above 2⁴⁷ went to limb 0, at most 19·2¹⁶, and what
    /// comes from limb 3 is < 2⁶³ / 2⁵² and a carry.
    #[inline(always)]
    fn carry(self, x: impl Into<Sum>) -> Factor {
        let Sum(mut x) = x.into();
        let above = self.shift_right::<47>(x[4]);
        x[4] = self.and(x[4], self.splat(LOW_47));
        x[0] = self.add_low(x[0], above, self.splat(19));
        for k in 1..LIMBS {
            x[k] = self.add64(x[k], self.shift_right::<52>(x[k - 1]));
        }
        Factor(x)
    }

    #[inline(always)]
    fn mask(self, bits: SecretBits) -> Lanes {
        bits.get() as Lanes
    }

    #[inline(always)]
    fn is_zero(self, x: &Factor) -> Lanes {
        let [w0, w1, w2, w3] = self.join_words(x);
        let any = self.or(self.or(w0, w1), self.or(w2, w3));
        self.none_set(any, any)
    }

    #[inline(always)]
    fn is_odd(self, x: &Factor) -> Lanes {
        !self.none_set(self.join_words(x)[0], self.splat(1))
    }

    #[inline(always)]
    fn either(self, x: Lanes, y: Lanes) -> Lanes {
        x | y
    }

    #[inline(always)]
    fn select(self, mask: Lanes, yes: &Factor, no: &Factor) -> Factor {
        let mut z = no.0;
        for k in 0..LIMBS {
            z[k] = self.blend(mask, yes.0[k], z[k]);
        }
        Factor(z)
    }
}
