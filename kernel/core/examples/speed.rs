//! Prints what each tier takes for a point, on one core: microseconds, the best of many short runs.

use commonground_kernel_core::{
    Column, Engine, Messages, Point, Scalar, Threads, Tier, hash, raise,
};
use std::time::{Duration, Instant};

const POINTS: usize = 1024;
const RUNS: usize = 200;
const KEY_BYTES: usize = 32;
const DST: &[u8] = b"COMMONGROUND-V01-curve25519_ELL2_RO";

fn main() {
    println!("µs a point   raise    hash   hash ÷ raise");
    for tier in Tier::available() {
        let engine = Engine::named(tier.name()).expect("an available tier");
        let (raised, hashed) = (time_of_raising(&engine), time_of_hashing(&engine));
        println!("{:<10}{raised:8.3}{hashed:8.3}{:15.2}", tier.name(), hashed / raised);
    }
}

fn time_of_raising(engine: &Engine) -> f64 {
    let scalar = Scalar::clamped(&[0x5a; 32]);
    let points: Vec<Point> = (0..POINTS).map(|i| [(i % 127) as u8; 32]).collect();
    let mut images = vec![[0; 32]; POINTS];
    best(|| {
        raise(engine, &points, &scalar, &mut images, Threads::ONE).expect("canonical points");
    })
}

fn time_of_hashing(engine: &Engine) -> f64 {
    let data: Vec<u8> = (0..POINTS * KEY_BYTES).map(|i| (i / 7) as u8).collect();
    let offsets: Vec<i64> = (0..=POINTS).map(|i| (i * KEY_BYTES) as i64).collect();
    let messages = Column::new(&data, &offsets).expect("a column");
    let mut points = vec![[0; 32]; POINTS];
    best(|| {
        let messages = Messages { messages, prefix: &[7; 32], dst: DST };
        hash(engine, &messages, &mut points, Threads::ONE).expect("points for all");
    })
}

/// Returns microseconds a point.
fn best(mut work: impl FnMut()) -> f64 {
    let run = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let best: Duration = (0..RUNS).map(run).min().unwrap_or_default();
    best.as_secs_f64() * 1e6 / POINTS as f64
}
