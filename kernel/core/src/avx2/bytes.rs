//! Elements between 32 bytes, little endian, and limbs.

use super::field::{Factor, LIMBS, LOW_25, LOW_26};
use super::vector::{Avx2, V};
use crate::Point;
use crate::lanes::Field;

impl Avx2 {
    #[inline(always)]
    pub(super) fn load_points<'a>(self, points: impl Iterator<Item = &'a Point>) -> Factor {
        let mut words = [[0; 4]; 4];
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
            self.low_26(w0),
            self.low_25(self.shift_right::<26>(w0)),
            self.low_26(self.or(self.shift_right::<51>(w0), self.shift_left::<13>(w1))),
            self.low_25(self.shift_right::<13>(w1)),
            self.shift_right::<38>(w1),
            self.low_25(w2),
            self.low_26(self.shift_right::<25>(w2)),
            self.low_25(self.or(self.shift_right::<51>(w2), self.shift_left::<13>(w3))),
            self.low_26(self.shift_right::<12>(w3)),
            self.low_25(self.shift_right::<38>(w3)),
        ])
    }

    #[inline(always)]
    fn low_26(self, x: V) -> V {
        self.and(x, self.splat(LOW_26))
    }

    #[inline(always)]
    fn low_25(self, x: V) -> V {
        self.and(x, self.splat(LOW_25))
    }

    #[inline(always)]
    fn or3(self, [x, y, z]: [V; 3]) -> V {
        self.or(x, self.or(y, z))
    }

    /// Returns the four words of the canonical representative.
    #[inline(always)]
    pub(super) fn join_words(self, x: &Factor) -> [V; 4] {
        let x = self.freeze(x);
        [
            self.or3([x[0], self.shift_left::<26>(x[1]), self.shift_left::<51>(x[2])]),
            self.or3([
                self.shift_right::<13>(x[2]),
                self.shift_left::<13>(x[3]),
                self.shift_left::<38>(x[4]),
            ]),
            self.or3([x[5], self.shift_left::<25>(x[6]), self.shift_left::<51>(x[7])]),
            self.or3([
                self.shift_right::<13>(x[7]),
                self.shift_left::<12>(x[8]),
                self.shift_left::<38>(x[9]),
            ]),
        ]
    }

    /// Returns the limbs of x modulo p.
    ///
    /// Tightened, y < 2²⁵⁵ + 2¹⁵⁰ < 2·p, and y ≥ p where y + 19 ≥ 2²⁵⁵.
    #[inline(always)]
    fn freeze(self, x: &Factor) -> [V; LIMBS] {
        let mut y = self.tighten(x.0).0;
        let mut more = y;
        more[0] = self.add64(more[0], self.splat(19));
        self.ripple(&mut more);
        let excess = self.shift_right::<25>(more[9]); // 1 where y ≥ p
        y[0] = self.add64(y[0], self.multiply32(excess, self.splat(19)));
        self.ripple(&mut y);
        y[9] = self.and(y[9], self.splat(LOW_25));
        y
    }

    #[inline(always)]
    fn ripple(self, x: &mut [V; LIMBS]) {
        for k in 0..LIMBS - 1 {
            self.carry_limb(x, k);
        }
    }
}
