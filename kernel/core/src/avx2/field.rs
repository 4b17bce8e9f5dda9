//! Arithmetic modulo p = 2²⁵⁵ − 19 in four lanes, radix 2^25.5, on 32-bit multipliers.
//!
//! An element is the sum of its ten limbs, limb k times 2^⌈25.5·k⌉: limbs of 26 and 25 bits in
//! turn, as in Bernstein and Schwabe, "NEON crypto" (2012). A product of two odd limbs falls one
//! bit above its place and is doubled; what falls above 2²⁵⁵ comes back times 19.

use super::product::{multiply, square};
use super::vector::{Avx2, V};
use crate::Point;
use crate::lanes::{Field, SecretBits};

pub(super) const LIMBS: usize = 10;
pub(super) const LOW_26: u64 = (1 << 26) - 1;
pub(super) const LOW_25: u64 = (1 << 25) - 1;

/// Every even limb < 3·2²⁶ + 2¹⁶ and every odd one < 3·2²⁵ + 2¹⁶, so that 19 of them fit 32 bits
/// and a column of products 63.
#[derive(Clone, Copy)]
pub(crate) struct Factor(pub(super) [V; LIMBS]);

/// Every even limb < 2²⁶ + 2¹⁶ and every odd one < 2²⁵ + 2¹⁶.
#[derive(Clone, Copy)]
pub(crate) struct Product(pub(super) [V; LIMBS]);

/// As small as a factor.
#[derive(Clone, Copy)]
pub(crate) struct Sum(pub(super) [V; LIMBS]);

impl From<Product> for Sum {
    #[inline(always)]
    fn from(x: Product) -> Self {
        Self(x.0)
    }
}

impl Avx2 {
    /// Carries columns < 2⁶³ to the limbs of a product, in two chains that run side by side.
    ///
    /// The last step of each chain leaves the limb behind it, 1 and 5, less than 2¹⁶ too large.
    #[inline(always)]
    pub(super) fn tighten(self, mut x: [V; LIMBS]) -> Product {
        for k in 0..4 {
            self.carry_limb(&mut x, k);
            self.carry_limb(&mut x, k + 4);
        }
        self.carry_limb(&mut x, 4);
        self.carry_limb(&mut x, 8);
        let above = self.shift_right::<25>(x[9]);
        x[9] = self.and(x[9], self.splat(LOW_25));
        // Hidden, or the compiler makes a product of 64 bits of it, which is five instructions.
        let thrice = self.hide(self.add64(above, self.add64(above, above)));
        x[0] = self.add64(x[0], self.add64(thrice, self.shift_left::<4>(above)));
        self.carry_limb(&mut x, 0);
        Product(x)
    }

    /// Carries from limb k, which is not the last, to the next.
    #[inline(always)]
    pub(super) fn carry_limb(self, x: &mut [V; LIMBS], k: usize) {
        let (above, mask) = if k.is_multiple_of(2) {
            (self.shift_right::<26>(x[k]), LOW_26)
        } else {
            (self.shift_right::<25>(x[k]), LOW_25)
        };
        x[k] = self.and(x[k], self.splat(mask));
        x[k + 1] = self.add64(x[k + 1], above);
    }

    /// Limb k of 2·p: more than a product's.
    #[inline(always)]
    fn bias(self, k: usize) -> V {
        self.splat(match k {
            0 => 2 * (LOW_26 - 18),
            _ if k.is_multiple_of(2) => 2 * LOW_26,
            _ => 2 * LOW_25,
        })
    }
}

impl Field for Avx2 {
    const LANES: usize = 4;

    type Factor = Factor;
    type Product = Product;
    type Minuend = Product;
    type Sum = Sum;
    type Mask = V;

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
        // SAFETY: `self` proves AVX2.
        unsafe { multiply(self, x, y) }
    }

    #[inline(always)]
    fn multiply_to_minuend(self, x: &Factor, y: &Factor) -> Product {
        self.multiply(x, y)
    }

    #[inline(always)]
    fn square(self, x: &Factor) -> Product {
        // SAFETY: `self` proves AVX2.
        unsafe { square(self, x) }
    }

    #[inline(always)]
    fn square_to_minuend(self, x: &Factor) -> Product {
        self.square(x)
    }

    #[inline(always)]
    fn product(self, x: &Factor) -> Product {
        self.tighten(x.0)
    }

    #[inline(always)]
    fn minuend(self, x: &Factor) -> Product {
        self.tighten(x.0)
    }

    #[inline(always)]
    fn add(self, x: &Product, y: &Product) -> Sum {
        let mut z = x.0;
        for k in 0..LIMBS {
            z[k] = self.add64(z[k], y.0[k]);
        }
        Sum(z)
    }

    #[inline(always)]
    fn subtract(self, x: &Product, y: &Product) -> Sum {
        let mut z = x.0;
        for k in 0..LIMBS {
            z[k] = self.sub64(self.add64(z[k], self.bias(k)), y.0[k]);
        }
        Sum(z)
    }

    #[inline(always)]
    fn add_scaled(self, x: &Product, y: &Factor, k: u32) -> Sum {
        let (mut z, scale) = (x.0, self.hide(self.splat(u64::from(k))));
        for k in 0..LIMBS {
            z[k] = self.add64(z[k], self.multiply32(y.0[k], scale));
        }
        self.tighten(z).into()
    }

    #[inline(always)]
    fn carry(self, x: impl Into<Sum>) -> Factor {
        Factor(x.into().0)
    }

    #[inline(always)]
    fn mask(self, bits: SecretBits) -> V {
        let lane = self.load_lanes([1, 2, 4, 8]);
        self.equal64(self.and(self.splat(bits.get()), lane), lane)
    }

    #[inline(always)]
    fn is_zero(self, x: &Factor) -> V {
        let [w0, w1, w2, w3] = self.join_words(x);
        let any = self.or(self.or(w0, w1), self.or(w2, w3));
        self.equal64(any, self.splat(0))
    }

    #[inline(always)]
    fn is_odd(self, x: &Factor) -> V {
        let one = self.splat(1);
        self.equal64(self.and(self.join_words(x)[0], one), one)
    }

    #[inline(always)]
    fn either(self, x: V, y: V) -> V {
        self.or(x, y)
    }

    #[inline(always)]
    fn select(self, mask: V, yes: &Factor, no: &Factor) -> Factor {
        let mut z = no.0;
        for k in 0..LIMBS {
            z[k] = self.blend(mask, yes.0[k], z[k]);
        }
        Factor(z)
    }
}
