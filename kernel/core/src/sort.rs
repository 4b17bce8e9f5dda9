//! Sort rows bytewise, with the place that each one came from: the shuffle of a set.

use crate::buckets::{Buckets, Row, sorted};
use crate::{KernelError, Threads};

/// Writes the place in `rows` of each row in order; equal rows keep their order.
pub fn sort_order<R: Row>(
    rows: &[R],
    order: &mut [i64],
    threads: Threads,
) -> Result<(), KernelError> {
    if rows.len() != order.len() {
        return Err(KernelError::Lengths("one place a row"));
    }
    let buckets = Buckets::new(rows, Buckets::bits_for(rows.len()))?;
    let mut rest = order;
    let jobs: Vec<_> = buckets
        .iter()
        .map(|numbers| (numbers, rest.split_off_mut(..numbers.len()).unwrap_or_default()))
        .collect();
    threads.for_each(jobs.into_iter(), |(numbers, order)| {
        for (place, (_, number)) in order.iter_mut().zip(sorted(rows, numbers)) {
            *place = i64::from(number);
        }
    });
    Ok(())
}
