//! Curve25519 over sets of points, identifier digests and tag lookup, on plain buffers.
//!
//! No Python here, no I/O, no clock, no randomness. One layer checks, clamps, splits work over
//! threads and writes the output; the tiers under it ([`tier`]) only raise points and map field
//! elements, a block at a time, and give the same bytes. Buffers come from a peer or a caller:
//! none of their contents makes anything here panic.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod buckets;
mod column;
mod each;
mod error;
mod expand;
mod find;
mod hash;
mod hash_behind;
mod identifiers;
#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod portable;
mod raise;
mod scalar;
mod secret;
mod sha512;
mod sort;
mod threads;
pub mod tier;

pub use buckets::Row;
pub use column::{Column, Offset};
pub use each::{public_points, raise_to_each};
pub use error::KernelError;
pub use find::find;
pub use hash::{Messages, hash, hash_and_raise};
pub use hash_behind::hash_behind;
pub use identifiers::{Form, Hashed, digest};
pub use raise::{Image, raise};
pub use scalar::Scalar;
pub use sort::sort_order;
pub use threads::Threads;
pub use tier::{Engine, Tier};

/// u of a point of Curve25519, or an element of its field: 32 bytes, little endian.
pub type Point = [u8; 32];

/// The two field elements, canonical, that a message hashes to.
pub type Pair = [[u8; 32]; 2];
