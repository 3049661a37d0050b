//! The rows of several requests as one batch, and its outputs as theirs.

use bytes::BytesMut;

use super::queue::Job;
use super::runner::{Description, RunError};
use super::tensor::{Tensor, elements};

/// Puts the rows of all requests behind each other, input by input. At least one request; all fit together.
pub(crate) fn join(jobs: &[Job]) -> Vec<Tensor> {
    let [first, others @ ..] = jobs else {
        return Vec::new();
    };
    if others.is_empty() {
        return first.inputs.clone();
    }
    let join_one = |(place, tensor): (usize, &Tensor)| {
        let parts = || jobs.iter().map(move |job| &job.inputs[place]);
        let mut data = BytesMut::with_capacity(parts().map(|part| part.data.len()).sum());
        for part in parts() {
            data.extend_from_slice(&part.data);
        }
        let mut shape = tensor.shape.clone();
        if let Some(rows) = shape.first_mut() {
            *rows = jobs.iter().map(|job| job.rows).sum();
        }
        Tensor {
            dtype: tensor.dtype,
            shape,
            data: data.freeze(),
        }
    };
    first.inputs.iter().enumerate().map(join_one).collect()
}

/// Checks what a model gave against what it said that it gives.
pub(crate) fn check(description: &Description, outputs: &[Tensor]) -> Result<(), RunError> {
    let (given, expected) = (outputs.len(), description.outputs.len());
    if given != expected {
        return Err(RunError(format!("{given} outputs, expected {expected}")));
    }
    for (slot, tensor) in description.outputs.iter().zip(outputs) {
        let bytes = elements(&tensor.shape).and_then(|n| n.checked_mul(tensor.dtype.size()));
        if tensor.dtype != slot.dtype || bytes != Some(tensor.data.len()) {
            let (dtype, shape) = (tensor.dtype.name(), &tensor.shape);
            return Err(RunError(format!(
                "output {:?} came as {} bytes of {dtype} for shape {shape:?}",
                slot.name,
                tensor.data.len()
            )));
        }
    }
    Ok(())
}

/// Cuts the outputs of a batch of `total` rows at the rows of one request: `rows` from `from` on. Nothing is copied.
pub(crate) fn cut(
    outputs: &[Tensor],
    total: usize,
    from: usize,
    rows: usize,
) -> Result<Vec<Tensor>, RunError> {
    let cut_one = |tensor: &Tensor| {
        if tensor.shape.first() != Some(&total) {
            let shape = &tensor.shape;
            return Err(RunError(format!(
                "an output of shape {shape:?} for {total} rows"
            )));
        }
        let row = tensor.data.len() / total;
        let mut shape = tensor.shape.clone();
        shape[0] = rows;
        Ok(Tensor {
            dtype: tensor.dtype,
            shape,
            data: tensor.data.slice(from * row..(from + rows) * row),
        })
    };
    outputs.iter().map(cut_one).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::sync::oneshot;

    use super::*;

    fn job(rows: usize, values: &[f32]) -> Job {
        Job {
            inputs: vec![Tensor::of_f32(vec![rows, values.len() / rows], values)],
            rows,
            arrived: Instant::now(),
            deadline: None,
            answer: oneshot::channel().0,
        }
    }

    #[test]
    fn what_is_joined_comes_apart_again() {
        let jobs = [job(1, &[1.0, 2.0]), job(2, &[3.0, 4.0, 5.0, 6.0])];
        let joined = join(&jobs);
        assert_eq!(joined[0].shape, [3, 2]);
        assert_eq!(cut(&joined, 3, 0, 1).unwrap(), jobs[0].inputs);
        assert_eq!(cut(&joined, 3, 1, 2).unwrap(), jobs[1].inputs);
        assert_eq!(join(&jobs[..1]), jobs[0].inputs);
    }

    #[test]
    fn outputs_without_rows_are_refused() {
        let scalar = Tensor::of_f32(vec![], &[1.0]);
        let what = "an output of shape [] for 2 rows";
        assert_eq!(cut(&[scalar], 2, 0, 1), Err(RunError(what.to_owned())));
    }
}
