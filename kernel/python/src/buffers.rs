//! A caller's buffers as slices: contiguous memory behind the buffer protocol, checked once.
//!
//! The caller must leave the memory alone until the call returns, as `.pyi` says. What can be
//! checked is: that it is contiguous, writable where it is written, of whole rows and aligned
//! integers, and that what is written overlaps nothing that is read.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Memory to read.
pub(crate) struct Input(PyUntypedBuffer);

/// Memory to write.
pub(crate) struct Output(PyUntypedBuffer);

impl<'py> FromPyObject<'_, 'py> for Input {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        contiguous(&object).map(Self)
    }
}

impl<'py> FromPyObject<'_, 'py> for Output {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let buffer = contiguous(&object)?;
        if buffer.readonly() {
            return Err(PyValueError::new_err("the output buffer is read-only"));
        }
        Ok(Self(buffer))
    }
}

fn contiguous(object: &Bound<'_, PyAny>) -> PyResult<PyUntypedBuffer> {
    let buffer = PyUntypedBuffer::get(object)
        .map_err(|_| PyValueError::new_err("an argument is no buffer of bytes"))?;
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err("a buffer is not contiguous"));
    }
    Ok(buffer)
}

impl Input {
    /// Returns all bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.0.len_bytes() == 0 {
            return &[]; // the pointer of an empty buffer may be null
        }
        // SAFETY: the buffer is contiguous, so `len_bytes` bytes from its pointer on belong to its
        // owner, whom `self` keeps; the owner may not resize while the buffer is out. Every bit
        // pattern is a byte. That nobody writes meanwhile is the caller's part.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast(), self.0.len_bytes()) }
    }

    /// Returns rows of `N` bytes.
    pub(crate) fn rows<const N: usize>(&self) -> PyResult<&[[u8; N]]> {
        match self.bytes().as_chunks() {
            (rows, []) => Ok(rows),
            _ => Err(not_rows(N)),
        }
    }

    /// Returns the one row of `N` bytes.
    pub(crate) fn row<const N: usize>(&self) -> PyResult<&[u8; N]> {
        self.bytes().try_into().map_err(|_| not_rows(N))
    }

    /// Returns integers in the machine's order.
    pub(crate) fn integers<T: Integer>(&self) -> PyResult<&[T]> {
        // SAFETY: every bit pattern is an integer.
        match unsafe { self.bytes().align_to() } {
            ([], integers, []) => Ok(integers),
            _ => Err(not_integers()),
        }
    }
}

impl Output {
    /// Returns all bytes, having checked that none is among those of `inputs`.
    pub(crate) fn bytes(&mut self, inputs: &[&Input]) -> PyResult<&mut [u8]> {
        if inputs.iter().any(|input| overlap(&self.0, &input.0)) {
            return Err(PyValueError::new_err("the output buffer overlaps an input"));
        }
        let length = self.0.len_bytes();
        if length == 0 {
            return Ok(&mut []);
        }
        let start: *mut u8 = self.0.buf_ptr().cast();
        // SAFETY: as in `Input::bytes`; the buffer is writable, and `self` is borrowed mutably. That
        // nothing else reads or writes this memory meanwhile is the caller's part, but for the
        // arguments of the same call, which were checked.
        Ok(unsafe { std::slice::from_raw_parts_mut(start, length) })
    }

    /// Says whether another output has a byte in common with this one.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        overlap(&self.0, &other.0)
    }

    /// Returns integers in the machine's order; see [`Output::bytes`].
    pub(crate) fn integers(&mut self, inputs: &[&Input]) -> PyResult<&mut [i64]> {
        // SAFETY: every bit pattern is an integer, and every integer is bytes.
        match unsafe { self.bytes(inputs)?.align_to_mut() } {
            ([], integers, []) => Ok(integers),
            _ => Err(not_integers()),
        }
    }
}

/// Says whether two buffers have a byte in common.
fn overlap(one: &PyUntypedBuffer, other: &PyUntypedBuffer) -> bool {
    let start = |buffer: &PyUntypedBuffer| buffer.buf_ptr().addr();
    let end = |buffer: &PyUntypedBuffer| start(buffer) + buffer.len_bytes();
    start(one) < end(other) && start(other) < end(one)
}

/// What [`Input::integers`] can read.
pub(crate) trait Integer {}

impl Integer for i32 {}

impl Integer for i64 {}

fn not_rows(bytes: usize) -> PyErr {
    PyValueError::new_err(format!("a buffer does not hold whole rows of {bytes} bytes"))
}

fn not_integers() -> PyErr {
    PyValueError::new_err("a buffer does not hold whole, aligned integers")
}
