//! SHA-256 of many values behind one prefix: HMAC's two passes, and the nodes of a Merkle tree.

use crate::column::{Column, Offset};
use crate::{KernelError, Threads};
use sha2::{Digest, Sha256};

/// Values that a thread takes at a time.
const CHUNK: usize = 4_096;

/// Writes SHA-256 of `prefix` ‖ value for each value. The prefix is hashed once.
pub fn hash_behind<O: Offset>(
    prefix: &[u8],
    values: Column<'_, O>,
    out: &mut [[u8; 32]],
    threads: Threads,
) -> Result<(), KernelError> {
    if values.len() != out.len() {
        return Err(KernelError::Lengths("one hash a value"));
    }
    let begun = Sha256::new_with_prefix(prefix);
    threads.for_each(out.chunks_mut(CHUNK).enumerate(), |(chunk, out)| {
        for (i, hash) in out.iter_mut().enumerate() {
            let value = values.get(chunk * CHUNK + i).unwrap_or_default();
            *hash = begun.clone().chain_update(value).finalize().into();
        }
    });
    Ok(())
}
