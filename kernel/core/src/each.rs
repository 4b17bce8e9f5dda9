//! A scalar for each image: public points, and one point raised to many scalars.
//!
//! The vector tiers raise many points to one scalar. Fillers and known answers have a scalar each,
//! and would leave all lanes but one idle. So curve25519-dalek works here for every tier: from its
//! table for the base point, and by its ladder for any other.

use crate::raise::is_canonical;
use crate::secret::wipe_stack;
use crate::{KernelError, Point, Scalar, Threads};
use curve25519_dalek::MontgomeryPoint;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many scalars a thread takes at a time.
const TOGETHER: usize = 64;

/// Words of 64 bits: more than the stack that dalek's functions take, which is a few kilobytes.
const WIPED: usize = 2048;

/// Writes X25519(`scalars[i]`, 9) to `out[i]`.
pub fn public_points(
    scalars: &[[u8; 32]],
    out: &mut [Point],
    threads: Threads,
) -> Result<(), KernelError> {
    each(scalars, out, threads, |scalar| MontgomeryPoint::mul_base_clamped(*scalar.as_bytes()))
        .map(drop)
}

/// Writes X25519(`scalars[i]`, `point`) to `out[i]` and returns how many images are zero.
///
/// When the point is not canonical nothing is raised, and `out` is left as it was.
pub fn raise_to_each(
    point: &Point,
    scalars: &[[u8; 32]],
    out: &mut [Point],
    threads: Threads,
) -> Result<usize, KernelError> {
    if !is_canonical(point) {
        return Err(KernelError::NotCanonical(1));
    }
    let point = MontgomeryPoint(*point);
    each(scalars, out, threads, |scalar| point.mul_bits_be(scalar.bits()))
}

/// Writes the image of each scalar, and returns how many are zero.
fn each(
    scalars: &[[u8; 32]],
    out: &mut [Point],
    threads: Threads,
    image_of: impl Fn(&Scalar) -> MontgomeryPoint + Sync,
) -> Result<usize, KernelError> {
    if scalars.len() != out.len() {
        return Err(KernelError::Lengths("one image a scalar"));
    }
    let zeros = AtomicUsize::new(0);
    let jobs = scalars.chunks(TOGETHER).zip(out.chunks_mut(TOGETHER));
    threads.for_each(jobs, |(scalars, out)| {
        for (image, bytes) in out.iter_mut().zip(scalars) {
            *image = image_of(&Scalar::clamped(bytes)).to_bytes();
        }
        wipe_stack::<WIPED>();
        let found = out.iter().filter(|image| **image == [0; 32]).count();
        zeros.fetch_add(found, Ordering::Relaxed);
    });
    Ok(zeros.into_inner())
}
