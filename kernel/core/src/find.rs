//! Find rows of one set in another: both dealt into buckets, and each bucket sorted.

use crate::buckets::{Buckets, Row, sorted};
use crate::{KernelError, Threads};

/// What stands for a row that the other set does not have.
const NOWHERE: i64 = -1;

/// Writes where each of `wanted` stands in `rows`, or −1; the first place where it stands twice.
pub fn find<R: Row>(
    wanted: &[R],
    rows: &[R],
    places: &mut [i64],
    threads: Threads,
) -> Result<(), KernelError> {
    if wanted.len() != places.len() {
        return Err(KernelError::Lengths("one place a row"));
    }
    let bits = Buckets::bits_for(wanted.len().max(rows.len()));
    let asked = Buckets::new(wanted, bits)?;
    let held = Buckets::new(rows, bits)?;
    let mut found = Vec::new();
    found.try_reserve_exact(wanted.len()).map_err(|_| KernelError::Memory)?;
    found.resize(wanted.len(), NOWHERE);
    let mut rest = &mut found[..];
    let jobs: Vec<_> = asked
        .iter()
        .zip(held.iter())
        .map(|(asked, held)| (asked, held, rest.split_off_mut(..asked.len()).unwrap_or_default()))
        .collect();
    threads.for_each(jobs.into_iter(), |(asked, held, found)| {
        look_up(wanted, rows, asked, held, found);
    });
    for (number, place) in asked.numbers().iter().zip(found) {
        if let Some(out) = places.get_mut(*number as usize) {
            *out = place;
        }
    }
    Ok(())
}

/// Writes, for each number of `asked`, where its row stands among those of `held`.
fn look_up<R: Row>(wanted: &[R], rows: &[R], asked: &[u32], held: &[u32], found: &mut [i64]) {
    let held = sorted(rows, held);
    for (place, number) in found.iter_mut().zip(asked) {
        let Some(row) = wanted.get(*number as usize) else { continue };
        let key = row.key();
        let at = held.partition_point(|(other, _)| *other < key);
        if let Some((other, number)) = held.get(at)
            && *other == key
        {
            *place = i64::from(*number);
        }
    }
}
