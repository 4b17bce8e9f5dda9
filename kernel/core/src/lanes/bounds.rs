//! Tests of a tier's arithmetic against big integers, with limbs at the bounds that its types name.

use super::field::Field;
use crate::secret::SecretBits;
use num_bigint::BigUint;
use std::ops::Range;

const ROUNDS: usize = 3_000;

/// One of a tier's four types, limb by limb: `lanes[lane][limb]`.
pub(crate) trait Limbs<F: Field>: Copy {
    /// Returns what the type's documentation promises of a limb.
    fn bounds(limb: usize) -> Range<u64>;
    fn pack(f: F, lanes: &[Vec<u64>]) -> Self;
    fn unpack(&self, f: F) -> Vec<Vec<u64>>;
    /// Returns the number that limbs stand for.
    fn number(limbs: &[u64]) -> BigUint;
}

/// A reproducible stream of 64-bit numbers: xorshift64*, Vigna (2016).
pub(crate) struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a limb: often the least or the greatest that is allowed, or one away from them.
    fn limb(&mut self, allowed: &Range<u64>) -> u64 {
        let size = allowed.end - allowed.start;
        match self.next() % 8 {
            0 => allowed.start,
            1 => allowed.start + 1,
            2 => allowed.end - 2,
            3..=5 => allowed.end - 1,
            _ => allowed.start + self.next() % size,
        }
    }

    fn value<F: Field, T: Limbs<F>>(&mut self, f: F, limbs: usize) -> (T, Vec<BigUint>) {
        let lanes: Vec<Vec<u64>> =
            (0..F::LANES).map(|_| (0..limbs).map(|k| self.limb(&T::bounds(k))).collect()).collect();
        (T::pack(f, &lanes), lanes.iter().map(|lane| T::number(lane)).collect())
    }
}

fn p() -> BigUint {
    (BigUint::from(1u8) << 255u32) - 19u8
}

/// Returns the numbers of a result, whose limbs must keep to the bounds of their type.
fn numbers<F: Field, T: Limbs<F>>(f: F, x: &T) -> Vec<BigUint> {
    let lanes = x.unpack(f);
    for (k, limb) in lanes.iter().flat_map(|lane| lane.iter().enumerate()) {
        assert!(T::bounds(k).contains(limb), "limb {k} is {limb:#x}");
    }
    lanes.iter().map(|lane| T::number(lane)).collect()
}

/// Requires of each lane that the result is what `expected` makes of two operands, modulo p.
fn require<F: Field, T: Limbs<F>>(
    f: F,
    result: &T,
    (x, y): (&[BigUint], &[BigUint]),
    expected: impl Fn(&BigUint, &BigUint) -> BigUint,
) {
    for ((result, x), y) in numbers(f, result).iter().zip(x).zip(y) {
        assert_eq!(result % p(), expected(x, y) % p(), "x = {x:#x}, y = {y:#x}");
    }
}

/// Tests every operation on `limbs` limbs, over and over.
pub(crate) fn operations_keep_their_bounds<F: Field>(f: F, limbs: usize)
where
    F::Factor: Limbs<F>,
    F::Product: Limbs<F>,
    F::Minuend: Limbs<F>,
    F::Sum: Limbs<F>,
{
    let mut stream = Stream(0x9e37_79b9_7f4a_7c15);
    for _ in 0..ROUNDS {
        let (x, nx) = stream.value::<F, F::Factor>(f, limbs);
        let (y, ny) = stream.value::<F, F::Factor>(f, limbs);
        let both = (&nx[..], &ny[..]);
        require(f, &f.multiply(&x, &y), both, |x, y| x * y);
        require(f, &f.multiply_to_minuend(&x, &y), both, |x, y| x * y);
        require(f, &f.square(&x), both, |x, _| x * x);
        require(f, &f.square_to_minuend(&x), both, |x, _| x * x);
        require(f, &f.product(&x), both, |x, _| x.clone());
        require(f, &f.minuend(&x), both, |x, _| x.clone());
        require(f, &f.select(f.mask(SecretBits::new(!0)), &x, &y), both, |x, _| x.clone());
        require(f, &f.select(f.mask(SecretBits::new(0)), &x, &y), both, |_, y| y.clone());

        let (sum, number) = stream.value::<F, F::Sum>(f, limbs);
        require(f, &f.carry(sum), (&number, &number), |x, _| x.clone());

        let (a, na) = stream.value::<F, F::Minuend>(f, limbs);
        let (b, nb) = stream.value::<F, F::Product>(f, limbs);
        require(f, &f.add(&a, &b), (&na, &nb), |a, b| a + b);
        // 2¹⁰ multiples of p more keep the big integers above 0.
        require(f, &f.subtract(&a, &b), (&na, &nb), |a, b| a + (p() << 10u32) - b);
        let k = (stream.next() % (1 << 19)) as u32;
        for k in [k, (1 << 19) - 1, 121_665] {
            require(f, &f.add_scaled(&a, &y, k), (&na, &ny), |a, y| a + y * k);
        }
    }
}

/// Tests the canonical bytes of elements whose limbs are at their bounds, and of those near p.
pub(crate) fn bytes_are_canonical<F: Field>(f: F, limbs: usize)
where
    F::Factor: Limbs<F>,
{
    let mut stream = Stream(0x2545_f491_4f6c_dd1d);
    for _ in 0..ROUNDS {
        let (x, numbers) = stream.value::<F, F::Factor>(f, limbs);
        require_bytes(f, &x, &numbers);
    }
    for distance in 0..64u32 {
        for number in [p() - distance, p() + distance.min(18), BigUint::from(distance)] {
            let point = bytes(&number);
            let x = f.load(vec![point; F::LANES].iter());
            require_bytes(f, &x, &vec![number; F::LANES]);
        }
    }
}

fn require_bytes<F: Field>(f: F, x: &F::Factor, numbers: &[BigUint]) {
    let mut points = vec![[0; 32]; F::LANES];
    f.store(x, &mut points);
    let mut chosen = points.clone();
    let (zero, one) = (f.constant([0; 4]), f.constant([1, 0, 0, 0]));
    f.store(&f.select(f.is_zero(x), &one, &zero), &mut chosen);
    let mut odd = points.clone();
    f.store(&f.select(f.is_odd(x), &one, &zero), &mut odd);
    for (lane, number) in numbers.iter().enumerate() {
        let number = number % p();
        assert_eq!(points[lane], bytes(&number), "{number:#x}");
        assert_eq!(chosen[lane][0] == 1, number == BigUint::ZERO, "{number:#x}");
        assert_eq!(odd[lane][0] == 1, number.bit(0), "{number:#x}");
    }
}

fn bytes(number: &BigUint) -> [u8; 32] {
    let mut point = [0; 32];
    let digits = number.to_bytes_le();
    point[..digits.len()].copy_from_slice(&digits);
    point
}

/// Implements [`Limbs`] for a tier's type: bounds by limb, and the number that limbs stand for.
macro_rules! limbs {
    ($tier:ty, $type:ty, $wrap:expr, $bounds:expr, $number:expr) => {
        impl crate::lanes::bounds::Limbs<$tier> for $type {
            fn bounds(limb: usize) -> std::ops::Range<u64> {
                $bounds(limb)
            }

            fn pack(f: $tier, lanes: &[Vec<u64>]) -> Self {
                $wrap(std::array::from_fn(|limb| {
                    f.load_lanes(std::array::from_fn(|lane| lanes[lane][limb]))
                }))
            }

            fn unpack(&self, f: $tier) -> Vec<Vec<u64>> {
                let limbs = self.0.map(|limb| f.store_lanes(limb));
                let lane = |lane: usize| limbs.iter().map(|limb| limb[lane]).collect();
                (0..<$tier as crate::lanes::Field>::LANES).map(lane).collect()
            }

            fn number(limbs: &[u64]) -> num_bigint::BigUint {
                $number(limbs)
            }
        }
    };
}
pub(crate) use limbs;
