//! Variable-length values as Arrow keeps them: one buffer of bytes, and offsets into it.

use crate::KernelError;

/// n values: value i is `data[offsets[i]..offsets[i + 1]]`. Slices of a column are columns too:
/// the first offset need not be 0, nor the last one the length of the data.
#[derive(Clone, Copy)]
pub struct Column<'a, O> {
    data: &'a [u8],
    offsets: &'a [O],
}

/// An offset: Arrow's strings have 32 bits, its large strings 64.
pub trait Offset: Copy + PartialOrd + Sync {
    /// Returns the offset as a position, or none below 0.
    fn position(self) -> Option<usize>;
}

impl Offset for i32 {
    fn position(self) -> Option<usize> {
        self.try_into().ok()
    }
}

impl Offset for i64 {
    fn position(self) -> Option<usize> {
        self.try_into().ok()
    }
}

impl<'a, O: Offset> Column<'a, O> {
    /// Checks that there is an offset, and that offsets neither fall nor leave the data.
    pub fn new(data: &'a [u8], offsets: &'a [O]) -> Result<Self, KernelError> {
        let ends = offsets.first().zip(offsets.last()).ok_or(KernelError::Offsets)?;
        let inside =
            ends.0.position().is_some() && ends.1.position().is_some_and(|end| end <= data.len());
        if !inside || !offsets.is_sorted() {
            return Err(KernelError::Offsets);
        }
        Ok(Self { data, offsets })
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Says whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns value `index`, or none where it is none of the column's.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let start = self.offsets.get(index)?.position()?;
        let end = self.offsets.get(index.checked_add(1)?)?.position()?;
        self.data.get(start..end)
    }
}
