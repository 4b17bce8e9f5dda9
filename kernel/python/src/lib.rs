//! The Python module `commonground_kernel`: buffers in, buffers out. See `__init__.pyi`.
//!
//! Nothing is computed here. Arguments become slices, the core works with the GIL released, and
//! its errors become `ValueError`s that hold no value from a buffer.

mod buffers;
mod detached;

use pyo3::prelude::*;

/// Batched X25519, hash-to-curve, identifier digests and tag lookup.
#[pymodule]
mod commonground_kernel {
    use crate::buffers::{Input, Output};
    use crate::detached::{detached, hush_panics};
    use commonground_kernel_core as core;
    use commonground_kernel_core::{Column, Messages, Point, Scalar, Threads, Tier};
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;

    /// Raised by one whenever a function is changed or removed: a caller names the one it knows,
    /// and looks whether there is what was added since.
    #[pymodule_export]
    const INTERFACE: u32 = 3;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_init]
    fn init() {
        hush_panics();
    }

    /// Return the names of the tiers that this processor runs, the fastest first.
    #[pyfunction]
    fn tiers() -> Vec<&'static str> {
        Tier::available().map(Tier::name).collect()
    }

    /// One tier: what raises points and hashes to the curve.
    #[pyclass(frozen)]
    struct Engine(core::Engine);

    #[pymethods]
    impl Engine {
        #[new]
        #[pyo3(signature = (tier=None))]
        fn new(tier: Option<&str>) -> PyResult<Self> {
            let engine = tier.map_or_else(|| Ok(core::Engine::fastest()), core::Engine::named);
            engine.map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
        }

        /// The tier's name.
        #[getter]
        fn tier(&self) -> &'static str {
            self.0.tier().name()
        }

        /// Raise rows of 32 bytes into `out`, whole or as tags; return how many images are zero.
        #[pyo3(signature = (points, scalar, out, *, threads=0))]
        fn raise_points(
            &self,
            py: Python<'_>,
            points: Input,
            scalar: Input,
            mut out: Output,
            threads: usize,
        ) -> PyResult<usize> {
            let out = out.bytes(&[&points, &scalar])?;
            let points: &[Point] = points.rows()?;
            let scalar = Scalar::clamped(scalar.row()?);
            let threads = Threads::or_all(threads);
            detached(py, || match images(out, points.len())? {
                Images::Points(out) => core::raise(&self.0, points, &scalar, out, threads),
                Images::Tags(out) => core::raise(&self.0, points, &scalar, out, threads),
            })
        }

        /// Hash each prefix ‖ message to a point, into rows of 32 bytes.
        #[pyo3(signature = (data, offsets, prefix, dst, out, *, threads=0))]
        #[allow(clippy::too_many_arguments, reason = "Python's keyword arguments")]
        fn hash(
            &self,
            py: Python<'_>,
            data: Input,
            offsets: Input,
            prefix: Input,
            dst: Input,
            mut out: Output,
            threads: usize,
        ) -> PyResult<()> {
            let out = out.bytes(&[&data, &offsets, &prefix, &dst])?;
            let offsets = offsets.integers::<i64>()?;
            let (data, prefix, dst) = (data.bytes(), prefix.bytes(), dst.bytes());
            detached(py, || {
                let messages = Column::new(data, offsets)?;
                let messages = Messages { messages, prefix, dst };
                core::hash(&self.0, &messages, rows(out)?, Threads::or_all(threads))
            })
        }

        /// Hash and raise, into points or tags; return how many images are zero.
        #[pyo3(signature = (data, offsets, prefix, dst, scalar, out, *, threads=0))]
        #[allow(clippy::too_many_arguments, reason = "Python's keyword arguments")]
        fn hash_and_raise(
            &self,
            py: Python<'_>,
            data: Input,
            offsets: Input,
            prefix: Input,
            dst: Input,
            scalar: Input,
            mut out: Output,
            threads: usize,
        ) -> PyResult<usize> {
            let out = out.bytes(&[&data, &offsets, &prefix, &dst, &scalar])?;
            let offsets = offsets.integers::<i64>()?;
            let (data, prefix, dst) = (data.bytes(), prefix.bytes(), dst.bytes());
            let scalar = Scalar::clamped(scalar.row()?);
            let threads = Threads::or_all(threads);
            detached(py, || {
                let messages = Column::new(data, offsets)?;
                let count = messages.len();
                let messages = Messages { messages, prefix, dst };
                match images(out, count)? {
                    Images::Points(out) => {
                        core::hash_and_raise(&self.0, &messages, &scalar, out, threads)
                    }
                    Images::Tags(out) => {
                        core::hash_and_raise(&self.0, &messages, &scalar, out, threads)
                    }
                }
            })
        }

        /// Write X25519(scalar, 9) of each scalar, rows of 32 bytes.
        #[pyo3(signature = (scalars, out, *, threads=0))]
        fn public_points(
            &self,
            py: Python<'_>,
            scalars: Input,
            mut out: Output,
            threads: usize,
        ) -> PyResult<()> {
            let out = out.bytes(&[&scalars])?;
            let scalars = scalars.rows::<32>()?;
            let threads = Threads::or_all(threads);
            detached(py, || core::public_points(&self.0, scalars, rows::<32>(out)?, threads))
        }

        /// Write X25519(scalar, point) of one point and each scalar; return how many images are zero.
        #[pyo3(signature = (point, scalars, out, *, threads=0))]
        fn raise_to_each(
            &self,
            py: Python<'_>,
            point: Input,
            scalars: Input,
            mut out: Output,
            threads: usize,
        ) -> PyResult<usize> {
            let out = out.bytes(&[&point, &scalars])?;
            let (point, scalars) = (point.row()?, scalars.rows::<32>()?);
            let threads = Threads::or_all(threads);
            detached(py, || core::raise_to_each(&self.0, point, scalars, rows::<32>(out)?, threads))
        }
    }

    /// Write the place of each row in bytewise order; rows have `width` bytes, 16 or 32.
    #[pyfunction]
    #[pyo3(signature = (rows, width, order, *, threads=0))]
    fn sort_order(
        py: Python<'_>,
        rows: Input,
        width: usize,
        mut order: Output,
        threads: usize,
    ) -> PyResult<()> {
        let order = order.integers(&[&rows])?;
        let threads = Threads::or_all(threads);
        match width {
            16 => {
                let rows = rows.rows::<16>()?;
                detached(py, || core::sort_order(rows, order, threads))
            }
            32 => {
                let rows = rows.rows::<32>()?;
                detached(py, || core::sort_order(rows, order, threads))
            }
            _ => Err(no_width()),
        }
    }

    /// Write the place in `rows` of each row of `wanted`, or −1.
    #[pyfunction]
    #[pyo3(signature = (wanted, rows, width, places, *, threads=0))]
    fn find(
        py: Python<'_>,
        wanted: Input,
        rows: Input,
        width: usize,
        mut places: Output,
        threads: usize,
    ) -> PyResult<()> {
        let places = places.integers(&[&wanted, &rows])?;
        let threads = Threads::or_all(threads);
        match width {
            16 => {
                let (wanted, rows) = (wanted.rows::<16>()?, rows.rows::<16>()?);
                detached(py, || core::find(wanted, rows, places, threads))
            }
            32 => {
                let (wanted, rows) = (wanted.rows::<32>()?, rows.rows::<32>()?);
                detached(py, || core::find(wanted, rows, places, threads))
            }
            _ => Err(no_width()),
        }
    }

    /// Write the digests of plain identifiers, and for each value whether it was one.
    #[pyfunction]
    #[pyo3(signature = (form, width, data, offsets, digests, taken, *, threads=0))]
    #[allow(clippy::too_many_arguments, reason = "Python's keyword arguments")]
    fn digest(
        py: Python<'_>,
        form: &str,
        width: usize,
        data: Input,
        offsets: Input,
        mut digests: Output,
        mut taken: Output,
        threads: usize,
    ) -> PyResult<()> {
        if digests.overlaps(&taken) {
            return Err(PyValueError::new_err("the output buffers overlap"));
        }
        let taken = taken.bytes(&[&data, &offsets])?;
        let digests = digests.bytes(&[&data, &offsets])?;
        let (data, offsets) = (data.bytes(), offsets.integers::<i64>()?);
        let form = core::Form::named(form);
        detached(py, || {
            let (form, values) = (form?, Column::new(data, offsets)?);
            let threads = Threads::or_all(threads);
            match width {
                16 => core::digest(form, values, rows::<16>(digests)?, taken, threads),
                32 => core::digest(form, values, rows::<32>(digests)?, taken, threads),
                _ => Err(core::KernelError::Rows),
            }
        })
    }

    /// Write SHA-256 of the prefix and each value behind it.
    #[pyfunction]
    #[pyo3(signature = (prefix, data, offsets, hashes, *, threads=0))]
    fn hash_behind(
        py: Python<'_>,
        prefix: Input,
        data: Input,
        offsets: Input,
        mut hashes: Output,
        threads: usize,
    ) -> PyResult<()> {
        let hashes = hashes.bytes(&[&prefix, &data, &offsets])?;
        let (prefix, data, offsets) = (prefix.bytes(), data.bytes(), offsets.integers::<i64>()?);
        detached(py, || {
            let values = Column::new(data, offsets)?;
            core::hash_behind(prefix, values, rows::<32>(hashes)?, Threads::or_all(threads))
        })
    }

    fn rows<const N: usize>(out: &mut [u8]) -> Result<&mut [[u8; N]], core::KernelError> {
        match out.as_chunks_mut() {
            (rows, []) => Ok(rows),
            _ => Err(core::KernelError::Rows),
        }
    }

    fn no_width() -> PyErr {
        PyValueError::new_err("rows have 16 bytes or 32")
    }

    /// Where images go: the size of the buffer says what is kept of each.
    enum Images<'a> {
        Points(&'a mut [[u8; 32]]),
        Tags(&'a mut [[u8; 16]]),
    }

    fn images(out: &mut [u8], count: usize) -> Result<Images<'_>, core::KernelError> {
        let bytes = out.len();
        if Some(bytes) == count.checked_mul(32) {
            Ok(Images::Points(out.as_chunks_mut().0))
        } else if Some(bytes) == count.checked_mul(16) {
            Ok(Images::Tags(out.as_chunks_mut().0))
        } else {
            Err(core::KernelError::Lengths("images have 32 bytes each, or 16"))
        }
    }
}
