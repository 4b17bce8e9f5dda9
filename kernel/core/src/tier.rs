//! The tiers: which code raises points and maps field elements on this processor.
//!
//! A tier is two functions over a block, and SHA-512's. What a tier may assume: input and output
//! are of one length, from 0 to [`BLOCK`]; points and field elements are canonical (below p);
//! scalars are clamped. What it must give: the canonical u of X25519 for each point, 32 zero bytes
//! where that is of low order, and no branch and no address that depends on a scalar.

use crate::scalar::Scalars;
use crate::sha512::{Block, Compress, States, WAYS};
use crate::{KernelError, Pair, Point, portable};

/// The most points that a tier is handed at once: what a vector tier shares one inversion over.
pub const BLOCK: usize = 256;

/// A tier's way to raise a block: `out[i]` becomes X25519 of `points[i]` and its scalar.
///
/// Unsafe to call on a processor without the features that the tier is compiled for.
pub(crate) type RaiseBlock = unsafe fn(points: &[Point], scalars: Scalars<'_>, out: &mut [Point]);

/// A tier's way to map a block: `out[i]` becomes u of 8·(map(u₀) + map(u₁)), as in RFC 9380.
///
/// Unsafe to call on a processor without the features that the tier is compiled for.
pub(crate) type MapBlock = unsafe fn(pairs: &[Pair], out: &mut [Point]);

/// One of the implementations, which all give the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Eight lanes of AVX-512 IFMA.
    Ifma,
    /// Four lanes of AVX2.
    Avx2,
    /// Plain Rust, for any processor.
    Portable,
}

impl Tier {
    /// Every tier, the fastest first.
    pub const ALL: [Self; 3] = [Self::Ifma, Self::Avx2, Self::Portable];

    /// Returns the name that `COMMONGROUND_KERNEL` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ifma => "ifma",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// Says whether this build has the tier and this processor can run it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => crate::ifma::Ifma::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => crate::avx2::Avx2::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Ifma | Self::Avx2 => false,
            Self::Portable => true,
        }
    }

    /// Returns the tiers that run here, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|tier| tier.is_available())
    }
}

/// A tier that was found to run on this processor.
#[derive(Clone, Copy)]
pub struct Engine {
    tier: Tier,
    raise: RaiseBlock,
    map: MapBlock,
    compress: Compress,
}

impl Engine {
    /// Returns the fastest tier that runs here.
    pub fn fastest() -> Self {
        let tier = Tier::available().next().unwrap_or(Tier::Portable);
        Self::table(tier)
    }

    /// Returns the tier of that name; fails when there is none or it does not run here.
    pub fn named(name: &str) -> Result<Self, KernelError> {
        let tier = Tier::available().find(|tier| tier.name() == name);
        tier.map(Self::table).ok_or(KernelError::NoSuchTier)
    }

    /// Returns which tier this is.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    fn table(tier: Tier) -> Self {
        match tier {
            #[cfg(target_arch = "x86_64")]
            Tier::Ifma => {
                use crate::ifma::{compress, map_block, raise_block};
                Self { tier, raise: raise_block, map: map_block, compress }
            }
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => {
                use crate::avx2::{map_block, raise_block};
                Self { tier, raise: raise_block, map: map_block, compress: portable::compress }
            }
            // The others are never available.
            _ => Self {
                tier: Tier::Portable,
                raise: portable::raise_block,
                map: portable::map_block,
                compress: portable::compress,
            },
        }
    }

    pub(crate) fn raise_block(&self, points: &[Point], scalars: Scalars<'_>, out: &mut [Point]) {
        debug_assert!(points.len() <= BLOCK && points.len() == out.len());
        // SAFETY: an engine is made only of tiers whose features this processor was seen to have.
        unsafe { (self.raise)(points, scalars, out) }
    }

    pub(crate) fn map_block(&self, pairs: &[Pair], out: &mut [Point]) {
        debug_assert!(pairs.len() <= BLOCK && pairs.len() == out.len());
        // SAFETY: as in `raise_block`.
        unsafe { (self.map)(pairs, out) }
    }

    pub(crate) fn compress(&self, states: &mut States, blocks: &[Option<&Block>; WAYS]) {
        // SAFETY: as in `raise_block`.
        unsafe { (self.compress)(states, blocks) }
    }
}
