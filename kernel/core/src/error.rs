//! What a caller can get wrong. No message carries a value from a buffer.

use crate::Tier;
use std::fmt;

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelError {
    /// The named tier is unknown, or this processor lacks it.
    NoSuchTier,
    /// This many points are not canonical, and none was raised.
    NotCanonical(usize),
    /// Two buffers that belong together do not fit each other.
    Lengths(&'static str),
    /// The output does not hold whole rows.
    Rows,
    /// There is no form of identifiers of that name.
    NoSuchForm,
    /// There is not enough memory for the work.
    Memory,
    /// Offsets do not start at or above 0, fall, or leave the data.
    Offsets,
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchTier => {
                let names: Vec<_> = Tier::available().map(Tier::name).collect();
                write!(f, "this processor runs these tiers of the kernel: {}", names.join(", "))
            }
            Self::NotCanonical(count) => write!(f, "points that are not canonical: {count}"),
            Self::Lengths(what) => write!(f, "buffers do not fit each other: {what}"),
            Self::Rows => f.write_str("the output buffer does not hold whole rows"),
            Self::NoSuchForm => f.write_str("forms are text, email, maid and digest"),
            Self::Memory => f.write_str("not enough memory"),
            Self::Offsets => write!(f, "offsets must not fall, nor leave the data"),
        }
    }
}

impl std::error::Error for KernelError {}
