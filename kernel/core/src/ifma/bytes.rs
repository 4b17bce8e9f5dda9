//! Elements between 32 bytes, little endian, and limbs.

use super::field::{Factor, LIMBS};
use super::vector::{Ifma, V};
use crate::Point;
use crate::lanes::Field;

const LOW_52: u64 = (1 << 52) - 1;
const LOW_47: u64 = (1 << 47) - 1;

impl Ifma {
    #[inline(always)]
    pub(super) fn load_points<'a>(self, points: impl Iterator<Item = &'a Point>) -> Factor {
        let mut words = [[0; 8]; 4];
        for (lane, point) in points.take(Self::LANES).enumerate() {
            let (chunks, _) = point.as_chunks::<8>();
            for (word, bytes) in words.iter_mut().zip(chunks) {
                word[lane] = u64::from_le_bytes(*bytes);
            }
        }
        let [w0, w1, w2, w3] = words;
        self.split_words([
            self.load_lanes(w0),
            self.load_lanes(w1),
            self.load_lanes(w2),
            self.load_lanes(w3),
        ])
    }

    #[inline(always)]
    pub(super) fn store_points(self, x: &Factor, out: &mut [Point]) {
        let [w0, w1, w2, w3] = self.join_words(x);
        let words = [
            self.store_lanes(w0),
            self.store_lanes(w1),
            self.store_lanes(w2),
            self.store_lanes(w3),
        ];
        for (lane, point) in out.iter_mut().take(Self::LANES).enumerate() {
            let (chunks, _) = point.as_chunks_mut::<8>();
            for (word, bytes) in words.iter().zip(chunks) {
                *bytes = word[lane].to_le_bytes();
            }
        }
    }

    /// Takes four words of 64 bits, and ignores the top bit, as RFC 7748 §5 demands.
    #[inline(always)]
    pub(super) fn split_words(self, [w0, w1, w2, w3]: [V; 4]) -> Factor {
        Factor([
            w0,
            self.or(self.shift_right::<52>(w0), self.shift_left::<12>(w1)),
            self.or(self.shift_right::<40>(w1), self.shift_left::<24>(w2)),
            self.or(self.shift_right::<28>(w2), self.shift_left::<36>(w3)),
            self.and(self.shift_right::<16>(w3), self.splat(LOW_47)),
        ])
    }

    /// Returns the four words of the canonical representative.
    #[inline(always)]
    pub(super) fn join_words(self, x: &Factor) -> [V; 4] {
        let [x0, x1, x2, x3, x4] = self.freeze(x);
        [
            self.or(x0, self.shift_left::<52>(x1)),
            self.or(self.shift_right::<12>(x1), self.shift_left::<40>(x2)),
            self.or(self.shift_right::<24>(x2), self.shift_left::<28>(x3)),
            self.or(self.shift_right::<36>(x3), self.shift_left::<16>(x4)),
        ]
    }

    /// Returns the limbs of x modulo p.
    ///
    /// x < 2²⁵⁶, so that one fold leaves y < 2²⁵⁵ + 19 < 2·p, and y ≥ p where y + 19 ≥ 2²⁵⁵.
    #[inline(always)]
    fn freeze(self, x: &Factor) -> [V; LIMBS] {
        let nineteen = self.splat(19);
        let mut y = self.product(x).0;
        let above = self.shift_right::<47>(y[4]);
        y[4] = self.and(y[4], self.splat(LOW_47));
        y[0] = self.add_low(y[0], above, nineteen);
        self.ripple(&mut y);
        let mut carry = self.shift_right::<52>(self.add64(y[0], nineteen));
        for limb in &y[1..4] {
            carry = self.shift_right::<52>(self.add64(*limb, carry));
        }
        let excess = self.shift_right::<47>(self.add64(y[4], carry)); // 1 where y ≥ p
        y[0] = self.add_low(y[0], excess, nineteen);
        self.ripple(&mut y);
        y[4] = self.and(y[4], self.splat(LOW_47));
        y
    }

    /// Carries from each limb to the next, and clears what was carried.
    #[inline(always)]
    fn ripple(self, x: &mut [V; LIMBS]) {
        for k in 0..LIMBS - 1 {
            x[k + 1] = self.add64(x[k + 1], self.shift_right::<52>(x[k]));
            x[k] = self.and(x[k], self.splat(LOW_52));
        }
    }
}
