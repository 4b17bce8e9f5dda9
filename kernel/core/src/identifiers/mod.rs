//! Identifiers that are plain, hashed or decoded a column at a time (docs/protocol.md, Identifiers).
//!
//! Most values of a real column are written in one plain way. Those are read here. All others are
//! left to `psi`, which knows every rule and says why it refuses a value: nothing is refused here,
//! and nothing is taken that `psi` would read otherwise.

mod email;
mod encoded;
mod maid;

use crate::column::{Column, Offset};
use crate::{KernelError, Threads};
use md5::Md5;
use sha2::{Digest, Sha256};

/// Values that a thread takes at a time.
const CHUNK: usize = 4_096;

/// What a column holds, and so what becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text: it is hashed as it is.
    Text,
    /// An e-mail address of ASCII: it is hashed in lower case.
    Email,
    /// An advertising id with all hyphens or none: it is hashed in lower case with hyphens.
    Maid,
    /// A digest in hex of any case, or in canonical base64: it is decoded.
    Digest,
}

impl Form {
    /// Returns the form of that name.
    pub fn named(name: &str) -> Result<Self, KernelError> {
        match name {
            "text" => Ok(Self::Text),
            "email" => Ok(Self::Email),
            "maid" => Ok(Self::Maid),
            "digest" => Ok(Self::Digest),
            _ => Err(KernelError::NoSuchForm),
        }
    }
}

/// A digest's bytes: 32 of SHA-256, or 16 of MD5.
pub trait Hashed: Copy + Default + Send {
    /// Returns the digest of a text.
    fn of(text: &[u8]) -> Self;

    /// Returns the digest that a text writes in hex or base64, if it is plain.
    fn decoded(text: &[u8]) -> Option<Self>;
}

impl Hashed for [u8; 32] {
    fn of(text: &[u8]) -> Self {
        Sha256::digest(text).into()
    }

    fn decoded(text: &[u8]) -> Option<Self> {
        encoded::decode(text)
    }
}

impl Hashed for [u8; 16] {
    fn of(text: &[u8]) -> Self {
        Md5::digest(text).into()
    }

    fn decoded(text: &[u8]) -> Option<Self> {
        encoded::decode(text)
    }
}

/// Writes the digest of each value that is plain and 1 to `taken`, or else zeros and 0.
pub fn digest<O: Offset, H: Hashed>(
    form: Form,
    values: Column<'_, O>,
    digests: &mut [H],
    taken: &mut [u8],
    threads: Threads,
) -> Result<(), KernelError> {
    if values.len() != digests.len() || values.len() != taken.len() {
        return Err(KernelError::Lengths("one digest a value"));
    }
    let chunks = digests.chunks_mut(CHUNK).zip(taken.chunks_mut(CHUNK)).enumerate();
    threads.for_each(chunks, |(chunk, (digests, taken))| {
        for (i, (digest, taken)) in digests.iter_mut().zip(taken).enumerate() {
            let value = values.get(chunk * CHUNK + i);
            let found = value.and_then(|value| read(form, value));
            *taken = found.is_some().into();
            *digest = found.unwrap_or_default();
        }
    });
    Ok(())
}

fn read<H: Hashed>(form: Form, value: &[u8]) -> Option<H> {
    match form {
        Form::Text => Some(H::of(value)),
        Form::Email => email::normalised(value, H::of),
        Form::Maid => maid::normalised(value).map(|text| H::of(&text)),
        Form::Digest => H::decoded(value),
    }
}

/// Says whether a text may be a placeholder of one repeated character, whatever stands between.
fn is_repetitive(text: &[u8]) -> bool {
    let mut letters = text.iter().filter(|byte| !matches!(byte, b'-' | b'+'));
    let first = letters.next();
    first.is_none_or(|first| letters.all(|byte| byte.eq_ignore_ascii_case(first)))
}
