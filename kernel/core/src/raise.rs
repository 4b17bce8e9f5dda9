//! Raise points to one scalar: the checks and the output, which are the same for every tier.

use crate::scalar::Scalars;
use crate::tier::BLOCK;
use crate::{Engine, KernelError, Point, Scalar, Threads};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is kept of a raised point: all of it, or the first 16 bytes as a tag.
pub trait Image: Copy + Send {
    /// Returns what is kept.
    fn of(point: &Point) -> Self;
}

impl Image for Point {
    fn of(point: &Point) -> Self {
        *point
    }
}

impl Image for [u8; 16] {
    fn of(point: &Point) -> Self {
        let mut tag = [0; 16];
        tag.copy_from_slice(&point[..16]);
        tag
    }
}

/// Writes X25519(scalar, `points[i]`) to `out[i]` and returns how many images are zero.
///
/// When a point is not canonical nothing is raised, and `out` is left as it was.
pub fn raise<I: Image>(
    engine: &Engine,
    points: &[Point],
    scalar: &Scalar,
    out: &mut [I],
    threads: Threads,
) -> Result<usize, KernelError> {
    if points.len() != out.len() {
        return Err(KernelError::Lengths("one image a point"));
    }
    let refused = points.iter().filter(|point| !is_canonical(point)).count();
    if refused > 0 {
        return Err(KernelError::NotCanonical(refused));
    }
    let zeros = AtomicUsize::new(0);
    threads.for_each(points.chunks(BLOCK).zip(out.chunks_mut(BLOCK)), |(points, out)| {
        let mut images = [[0; 32]; BLOCK];
        let images = &mut images[..points.len()];
        engine.raise_block(points, Scalars::One(scalar), images);
        zeros.fetch_add(write_images(images, out), Ordering::Relaxed);
    });
    Ok(zeros.into_inner())
}

/// Copies what is kept of each image, and returns how many images are zero.
pub(crate) fn write_images<I: Image>(images: &[Point], out: &mut [I]) -> usize {
    for (kept, image) in out.iter_mut().zip(images) {
        *kept = I::of(image);
    }
    images.iter().filter(|image| **image == [0; 32]).count()
}

/// Says whether u < p = 2²⁵⁵ − 19.
pub(crate) fn is_canonical(point: &Point) -> bool {
    let below_top = point[31] < 0x7f;
    let at_top = point[31] == 0x7f;
    below_top || at_top && (point[0] < 0xed || point[1..31].iter().any(|byte| *byte != 0xff))
}
