//! Rows dealt into buckets by their first bits: what sorting and finding start with.
//!
//! Rows are points or tags, so honest ones spread evenly, and a bucket fits into the cache. A peer
//! may send others: then one bucket holds them all, and the work is that of sorting them.

use crate::KernelError;

const ROWS_A_BUCKET: usize = 2_048;
const MOST_BITS: u32 = 14;

/// A row of bytes, ordered bytewise.
pub trait Row: Copy + Default + Send + Sync {
    /// The row as an integer of the same order.
    type Key: Copy + Ord;

    /// Returns the row as an integer of the same order.
    fn key(&self) -> Self::Key;

    /// Returns the first 16 bits.
    fn head(&self) -> u16;
}

impl Row for [u8; 16] {
    type Key = u128;

    fn key(&self) -> u128 {
        u128::from_be_bytes(*self)
    }

    fn head(&self) -> u16 {
        u16::from_be_bytes([self[0], self[1]])
    }
}

impl Row for [u8; 32] {
    type Key = (u128, u128);

    fn key(&self) -> (u128, u128) {
        let half = |from: usize| u128::from_be_bytes(std::array::from_fn(|i| self[from + i]));
        (half(0), half(16))
    }

    fn head(&self) -> u16 {
        u16::from_be_bytes([self[0], self[1]])
    }
}

/// Numbers of rows, bucket by bucket in the rows' order, and rising within each bucket.
pub(crate) struct Buckets {
    numbers: Vec<u32>,
    ends: Vec<usize>,
}

impl Buckets {
    /// Returns how many first bits tell buckets apart that hold `rows` rows together.
    pub(crate) fn bits_for(rows: usize) -> u32 {
        (rows / ROWS_A_BUCKET).next_power_of_two().ilog2().min(MOST_BITS)
    }

    pub(crate) fn new<R: Row>(rows: &[R], bits: u32) -> Result<Self, KernelError> {
        if u32::try_from(rows.len()).is_err() {
            return Err(KernelError::Lengths("2³² rows at most"));
        }
        let bucket = |row: &R| (u32::from(row.head()) >> (16 - bits)) as usize;
        let mut next = vec![0; (1 << bits) + 1];
        for row in rows {
            next[bucket(row) + 1] += 1;
        }
        for i in 1..next.len() {
            next[i] += next[i - 1];
        }
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(rows.len()).map_err(|_| KernelError::Memory)?;
        numbers.resize(rows.len(), 0);
        for (number, row) in (0..).zip(rows) {
            let place = &mut next[bucket(row)];
            numbers[*place] = number;
            *place += 1;
        }
        next.pop();
        Ok(Self { numbers, ends: next })
    }

    /// Returns all numbers, one bucket behind the other.
    pub(crate) fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// Returns the numbers of each bucket.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.numbers[std::mem::replace(&mut start, *end)..*end])
    }
}

/// Returns the rows of these numbers in order, each with its number; equal rows by number.
pub(crate) fn sorted<R: Row>(rows: &[R], numbers: &[u32]) -> Vec<(R::Key, u32)> {
    let keyed = numbers.iter().filter_map(|number| Some((rows.get(*number as usize)?, *number)));
    let mut keyed: Vec<_> = keyed.map(|(row, number)| (row.key(), number)).collect();
    keyed.sort_unstable();
    keyed
}
