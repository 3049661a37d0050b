//! Making a session of the runtime, and running it.
//!
//! Runs go through the runtime's own table of functions: `Session::run` of ort 2.0.0-rc.14 forgets to release the type
//! of each output, 300 bytes a piece, which at the rate of the hot path is a gigabyte within the hour.

#![expect(
    unsafe_code,
    reason = "the table of functions is in C; each pointer is made, read and released in this file"
)]

use std::ffi::CString;
use std::marker::PhantomData;
use std::ptr;

use ort::AsPointer;
use ort::environment::Environment;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::sys;
use ort::value::{PrimitiveTensorElementType, TensorElementType};

/// A session that runs on the thread that calls it, and on no other: threads are ours to give out.
#[derive(Debug)]
pub(crate) struct Runner {
    session: Session,
    inputs: Vec<CString>,
    outputs: Vec<CString>,
}

impl Runner {
    /// Opens a session for a graph with these inputs and outputs.
    pub(crate) fn open<'a>(
        environment: &Environment,
        bytes: &[u8],
        inputs: impl Iterator<Item = &'a str>,
        outputs: impl Iterator<Item = &'a str>,
    ) -> Result<Self, String> {
        let name = |name: &str| CString::new(name).map_err(|_| format!("{name:?} is no name"));
        let build = || -> ort::Result<Session> {
            Session::builder(environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                // A pattern of memory is kept per shape of input; batches here have many.
                .with_memory_pattern(false)?
                .commit_from_memory(bytes)
        };
        Ok(Self {
            inputs: inputs.map(name).collect::<Result<_, _>>()?,
            outputs: outputs.map(name).collect::<Result<_, _>>()?,
            session: build().map_err(|error| brief(&error.to_string()))?,
        })
    }

    /// Runs the session once; inputs in the order in which they were named.
    pub(crate) fn run(&mut self, inputs: &[SessionInputValue<'_>]) -> Result<Given<'_>, String> {
        if inputs.len() != self.inputs.len() {
            return Err(format!(
                "{} inputs, expected {}",
                inputs.len(),
                self.inputs.len()
            ));
        }
        let input_names: Vec<_> = self.inputs.iter().map(|name| name.as_ptr()).collect();
        let output_names: Vec<_> = self.outputs.iter().map(|name| name.as_ptr()).collect();
        let values: Vec<*const sys::OrtValue> = inputs.iter().map(|v| v.ptr()).collect();
        let mut given = Given {
            values: vec![ptr::null_mut(); self.outputs.len()],
            session: PhantomData,
        };
        // SAFETY: every array has the length that is passed; names end with a zero and live until the call returns, as do
        // the inputs; the session is borrowed for writing, so that no other thread runs it. What the call puts into
        // `values` is ours, and released when `given` is dropped.
        let status = unsafe {
            (ort::api().Run)(
                self.session.ptr_mut(),
                ptr::null(),
                input_names.as_ptr(),
                values.as_ptr(),
                values.len(),
                output_names.as_ptr(),
                output_names.len(),
                given.values.as_mut_ptr(),
            )
        };
        checked(status)?;
        Ok(given)
    }
}

/// What one run gave, in the order in which outputs were named. Their memory is the session's.
pub(crate) struct Given<'session> {
    values: Vec<*mut sys::OrtValue>,
    session: PhantomData<&'session mut Session>,
}

impl Given<'_> {
    /// The shape and the elements of an output.
    pub(crate) fn tensor<T: PrimitiveTensorElementType>(
        &self,
        place: usize,
    ) -> Result<(Vec<usize>, &[T]), String> {
        self.elements(place, T::into_tensor_element_type())
    }

    /// The shape and the elements of an output of booleans, as bytes: a byte that is neither 0 nor 1 is no `bool`.
    pub(crate) fn bools(&self, place: usize) -> Result<(Vec<usize>, &[u8]), String> {
        self.elements(place, TensorElementType::Bool)
    }

    /// `T` is what elements of this type are in memory.
    fn elements<T>(
        &self,
        place: usize,
        expected: TensorElementType,
    ) -> Result<(Vec<usize>, &[T]), String> {
        let value = self.values.get(place).copied().unwrap_or(ptr::null_mut());
        if value.is_null() {
            return Err(format!("there is no output {place}"));
        }
        let (shape, found) = layout(value)?;
        if found != expected {
            return Err(format!(
                "output {place} has elements of {found}, expected {expected}"
            ));
        }
        let elements = shape
            .iter()
            .try_fold(1_usize, |product, &dim| product.checked_mul(dim))
            .ok_or("an output is larger than memory")?;
        if elements == 0 {
            return Ok((shape, &[]));
        }
        let api = ort::api();
        let mut data = ptr::null_mut();
        // SAFETY: the value is one that `Run` gave, of tensor type, and not released before `self` is dropped.
        checked(unsafe { (api.GetTensorMutableData)(value, &raw mut data) })?;
        if data.is_null() {
            return Err(format!("output {place} has no memory"));
        }
        // SAFETY: the runtime keeps as many elements of that type at this address, aligned, as the shape says, until
        // the value is released; `self` is borrowed so long, and nothing writes meanwhile.
        Ok((shape, unsafe {
            std::slice::from_raw_parts(data.cast::<T>(), elements)
        }))
    }
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        for value in self.values.iter().filter(|value| !value.is_null()) {
            // SAFETY: `Run` gave it to us, and it is released here only.
            unsafe { (ort::api().ReleaseValue)(*value) };
        }
    }
}

/// Shape and type of a tensor.
fn layout(value: *const sys::OrtValue) -> Result<(Vec<usize>, TensorElementType), String> {
    let api = ort::api();
    let mut info = ptr::null_mut();
    // SAFETY: the value is one that `Run` gave, and not yet released.
    checked(unsafe { (api.GetTensorTypeAndShape)(value, &raw mut info) })?;
    let read = || {
        let mut kind = sys::ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
        let mut rank = 0;
        // SAFETY: the info was made above and is released below, after this.
        checked(unsafe { (api.GetTensorElementType)(info, &raw mut kind) })?;
        // SAFETY: as above.
        checked(unsafe { (api.GetDimensionsCount)(info, &raw mut rank) })?;
        let mut dims = vec![0_i64; rank];
        // SAFETY: as above; there is room for as many dimensions as there are.
        checked(unsafe { (api.GetDimensions)(info, dims.as_mut_ptr(), rank) })?;
        let dim = |dim| usize::try_from(dim).map_err(|_| format!("a dimension is {dim}"));
        let shape = dims.into_iter().map(dim).collect::<Result<Vec<_>, _>>()?;
        Ok((shape, TensorElementType::from(kind)))
    };
    let result = read();
    // SAFETY: the info was made above, and is released here only.
    unsafe { (api.ReleaseTensorTypeAndShapeInfo)(info) };
    result
}

/// What a call said, and its release.
fn checked(status: sys::OrtStatusPtr) -> Result<(), String> {
    // SAFETY: the status comes straight from a call, and is released by this.
    let result = unsafe { ort::Error::result_from_status(status) };
    result.map_err(|error| brief(&error.to_string()))
}

/// The first words of a message: tract tells its whole way through a graph.
pub(crate) fn brief(message: &str) -> String {
    const MOST: usize = 400;
    let mut text: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = text.char_indices().nth(MOST) {
        text.truncate(at);
        text.push('…');
    }
    text
}
