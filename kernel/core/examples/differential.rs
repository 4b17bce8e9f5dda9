//! Compares every tier with the portable one on inputs made up from a seed, until time is up.
//!
//! ```text
//! cargo run --release --example differential -- SECONDS [SEED]
//! ```
//!
//! Every round is a new scalar, a new number of points and a new mixture of random, sparse, dense
//! and low-order ones, which serve as scalars too, and as many messages. A difference prints the round and ends with a panic;
//! the seed repeats it.

use commonground_kernel_core::{
    Column, Engine, Messages, Point, Scalar, Threads, Tier, hash, hash_and_raise, public_points,
    raise, raise_to_each,
};
use sha2::{Digest, Sha512};
use std::time::{Duration, Instant};

fn main() {
    let mut arguments =
        std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let seconds: u64 = arguments.next().expect("usage: differential SECONDS [SEED]");
    let seed: u64 = arguments.next().unwrap_or(0);
    let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
    let (mut round, mut points) = (0, 0);
    while start.elapsed() < limit {
        points += compare(&mut Noise { seed, round, number: 0 });
        round += 1;
    }
    let tiers: Vec<_> = Tier::available().map(Tier::name).collect();
    println!("{} agree on {points} points in {round} rounds from seed {seed}", tiers.join(", "));
}

/// Compares one round, and returns how many points it had.
fn compare(noise: &mut Noise) -> usize {
    let (scalar, point) = (Scalar::clamped(&noise.point()), noise.coordinate());
    let points: Vec<Point> = (0..noise.next() % 300).map(|_| noise.coordinate()).collect();
    let data: Vec<u8> = points.iter().flatten().copied().collect();
    let end = data.len() as u64 + 1;
    let mut offsets: Vec<i64> = points.iter().map(|_| (noise.next() % end) as i64).collect();
    offsets.push(0);
    offsets.sort_unstable();
    let messages = Column::new(&data, &offsets).expect("offsets that rise within the data");
    let messages = Messages { messages, prefix: &noise.point(), dst: b"differential" };
    let results = |engine: &Engine| {
        let mut out = [(); 5].map(|()| vec![[0; 32]; points.len()]);
        raise(engine, &points, &scalar, &mut out[0], Threads::ONE).expect("canonical points");
        hash(engine, &messages, &mut out[1], Threads::ONE).expect("points");
        hash_and_raise(engine, &messages, &scalar, &mut out[2], Threads::ONE).expect("images");
        public_points(engine, &points, &mut out[3], Threads::ONE).expect("as many");
        raise_to_each(engine, &point, &points, &mut out[4], Threads::ONE)
            .expect("a canonical point");
        out
    };
    let expected = results(&Engine::named("portable").expect("runs anywhere"));
    for tier in Tier::available() {
        let got = results(&Engine::named(tier.name()).expect("an available tier"));
        let (name, seed, round) = (tier.name(), noise.seed, noise.round);
        assert!(got == expected, "{name} differs: seed {seed}, round {round}");
    }
    points.len()
}

/// A reproducible stream: SHA-512 of the seed, the round and a counter.
struct Noise {
    seed: u64,
    round: u64,
    number: u64,
}

impl Noise {
    fn point(&mut self) -> Point {
        self.number += 1;
        let parts = [self.seed, self.round, self.number].map(u64::to_le_bytes);
        let digest = Sha512::digest(parts.concat());
        std::array::from_fn(|i| digest[i])
    }

    fn next(&mut self) -> u64 {
        let point = self.point();
        u64::from_le_bytes(std::array::from_fn(|i| point[i]))
    }

    /// Returns a canonical coordinate: random, with few bits, with most bits, near p, or tiny.
    fn coordinate(&mut self) -> Point {
        let (mut point, other) = (self.point(), self.point());
        match other[0] % 8 {
            0 => point = std::array::from_fn(|i| point[i] & other[i] & point[31 - i]),
            1 => point = std::array::from_fn(|i| point[i] | other[i] | point[31 - i]),
            2 => point = std::array::from_fn(|i| if i == 0 { point[0] % 0xed } else { 0xff }),
            3 => point = std::array::from_fn(|i| if i == 0 { point[0] % 4 } else { 0 }),
            4 => point = std::array::from_fn(|i| if point[i] & 1 == 1 { 0xff } else { 0 }),
            _ => {}
        }
        point[31] &= 0x7f;
        if point[31] == 0x7f && point[0] >= 0xed {
            point[0] -= 0x20;
        }
        point
    }
}
