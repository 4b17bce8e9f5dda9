//! Work without the GIL, and without a panic that leaves as one.
//!
//! PyO3 raises a panic as `PanicException`, which escapes `except Exception`. None is known that
//! a caller's bytes could cause; should there be one, it is a `RuntimeError`, and says where in
//! this code it was, but not what the bytes were.

use commonground_kernel_core::KernelError;
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::panic::{self, AssertUnwindSafe};

/// Does `work` with the GIL released.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, KernelError> + Send,
) -> PyResult<T> {
    // The work is given up whole, and its buffers are the caller's, who is told.
    match py.detach(|| panic::catch_unwind(AssertUnwindSafe(work))) {
        Ok(Err(KernelError::Memory)) => Err(PyMemoryError::new_err("not enough memory")),
        Ok(done) => done.map_err(|error| PyValueError::new_err(error.to_string())),
        Err(_) => Err(PyRuntimeError::new_err("the kernel failed: this is a defect, report it")),
    }
}

/// Lets a panic say where it was and nothing else, since its message may hold a caller's bytes.
pub(crate) fn hush_panics() {
    panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            eprintln!("commonground_kernel: panic at {}:{}", place.file(), place.line());
        }
    }));
}
