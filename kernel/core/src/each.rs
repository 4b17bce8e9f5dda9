//! A scalar for each image: public points, and one point raised to many scalars.
//!
//! Fillers, known answers and a list's reserve have a scalar each. Lanes raise one point to as many
//! scalars as readily as many points to one. The portable tier has curve25519-dalek's table for the
//! base point.

use crate::raise::is_canonical;
use crate::scalar::Scalars;
use crate::tier::{BLOCK, Tier};
use crate::{Engine, KernelError, Point, Scalar, Threads, portable};
use std::sync::atomic::{AtomicUsize, Ordering};

/// u of the base point (RFC 7748 §4.1).
const BASE: Point = {
    let mut base = [0; 32];
    base[0] = 9;
    base
};

/// Writes X25519(`scalars[i]`, 9) to `out[i]`.
pub fn public_points(
    engine: &Engine,
    scalars: &[[u8; 32]],
    out: &mut [Point],
    threads: Threads,
) -> Result<(), KernelError> {
    each(scalars, out, threads, |scalars, images| match engine.tier() {
        Tier::Portable => portable::public_block(scalars, images),
        _ => engine.raise_block(&[BASE; BLOCK][..images.len()], Scalars::Each(scalars), images),
    })
    .map(drop)
}

/// Writes X25519(`scalars[i]`, `point`) to `out[i]` and returns how many images are zero.
///
/// When the point is not canonical nothing is raised, and `out` is left as it was.
pub fn raise_to_each(
    engine: &Engine,
    point: &Point,
    scalars: &[[u8; 32]],
    out: &mut [Point],
    threads: Threads,
) -> Result<usize, KernelError> {
    if !is_canonical(point) {
        return Err(KernelError::NotCanonical(1));
    }
    each(scalars, out, threads, |scalars, images| {
        engine.raise_block(&[*point; BLOCK][..images.len()], Scalars::Each(scalars), images);
    })
}

/// Writes the image of each scalar, a block at a time, and returns how many are zero.
fn each(
    scalars: &[[u8; 32]],
    out: &mut [Point],
    threads: Threads,
    raise: impl Fn(&[Scalar], &mut [Point]) + Sync,
) -> Result<usize, KernelError> {
    if scalars.len() != out.len() {
        return Err(KernelError::Lengths("one image a scalar"));
    }
    let zeros = AtomicUsize::new(0);
    threads.for_each(scalars.chunks(BLOCK).zip(out.chunks_mut(BLOCK)), |(scalars, out)| {
        let scalars: Vec<Scalar> = scalars.iter().map(Scalar::clamped).collect();
        raise(&scalars, out);
        let found = out.iter().filter(|image| **image == [0; 32]).count();
        zeros.fetch_add(found, Ordering::Relaxed);
    });
    Ok(zeros.into_inner())
}
