//! Hash messages to the curve: curve25519_XMD:SHA-512_ELL2_RO_ (RFC 9380), and raise the points.

use crate::column::{Column, Offset};
use crate::expand::{Expander, TOGETHER};
use crate::raise::{Image, write_images};
use crate::scalar::Scalars;
use crate::tier::BLOCK;
use crate::{Engine, KernelError, Point, Scalar, Threads};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is hashed: each of `messages`, with `prefix` before it, under `dst`.
#[derive(Clone, Copy)]
pub struct Messages<'a, O> {
    /// The messages themselves.
    pub messages: Column<'a, O>,
    /// The common prefix: the id of the session.
    pub prefix: &'a [u8],
    /// The domain separation tag, 1 to 255 bytes.
    pub dst: &'a [u8],
}

/// Writes u of the point that each message hashes to.
pub fn hash<O: Offset>(
    engine: &Engine,
    messages: &Messages<'_, O>,
    out: &mut [Point],
    threads: Threads,
) -> Result<(), KernelError> {
    work(engine, messages, out, threads, |pairs, images| engine.map_block(pairs, images)).map(drop)
}

/// Hashes each message and raises the point; returns how many images are zero.
pub fn hash_and_raise<O: Offset, I: Image>(
    engine: &Engine,
    messages: &Messages<'_, O>,
    scalar: &Scalar,
    out: &mut [I],
    threads: Threads,
) -> Result<usize, KernelError> {
    work(engine, messages, out, threads, |pairs, images| {
        let mut points = [[0; 32]; BLOCK];
        let points = &mut points[..pairs.len()];
        engine.map_block(pairs, points);
        engine.raise_block(points, Scalars::One(scalar), images);
    })
}

/// Makes the pairs of each block and hands them to `map`; returns how many images are zero.
fn work<O: Offset, I: Image>(
    engine: &Engine,
    messages: &Messages<'_, O>,
    out: &mut [I],
    threads: Threads,
    map: impl Fn(&[crate::Pair], &mut [Point]) + Sync,
) -> Result<usize, KernelError> {
    let column = &messages.messages;
    if column.len() != out.len() {
        return Err(KernelError::Lengths("one image a message"));
    }
    let expander = Expander::new(messages.prefix, messages.dst)?;
    let zeros = AtomicUsize::new(0);
    threads.for_each(out.chunks_mut(BLOCK).enumerate(), |(block, out)| {
        let mut pairs = [[[0; 32]; 2]; BLOCK];
        let pairs = &mut pairs[..out.len()];
        for (group, pairs) in pairs.chunks_mut(TOGETHER).enumerate() {
            let first = block * BLOCK + group * TOGETHER;
            let messages = std::array::from_fn(|i| column.get(first + i).unwrap_or_default());
            pairs.copy_from_slice(&expander.pairs(engine, &messages)[..pairs.len()]);
        }
        let mut images = [[0; 32]; BLOCK];
        let images = &mut images[..out.len()];
        map(pairs, images);
        zeros.fetch_add(write_images(images, out), Ordering::Relaxed);
    });
    Ok(zeros.into_inner())
}
