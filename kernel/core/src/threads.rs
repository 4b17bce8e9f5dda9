//! Work on several threads: jobs are taken in order, and each is done once.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many threads may work, the caller's among them.
#[derive(Clone, Copy, Debug)]
pub struct Threads(NonZeroUsize);

impl Threads {
    /// The caller's thread alone.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// Returns as many threads as asked, or as there are processors when asked for 0.
    pub fn or_all(asked: usize) -> Self {
        let all = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self(NonZeroUsize::new(asked).unwrap_or_else(all))
    }

    /// Does `work` for every job. Fewer threads work where the system refuses to start more.
    pub(crate) fn for_each<J: Send>(
        self,
        jobs: impl ExactSizeIterator<Item = J> + Send,
        work: impl Fn(J) + Sync,
    ) {
        let helpers = self.0.get().min(jobs.len()).saturating_sub(1);
        let queue = Mutex::new(jobs);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let drain = || {
            while let Some(job) = next() {
                work(job);
            }
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                if thread::Builder::new().spawn_scoped(scope, drain).is_err() {
                    break;
                }
            }
            drain();
        });
    }
}
