//! The step of an LSTM with three heads, as an ONNX graph.

use crate::Metadata;
use crate::build::{file, indices, int, node, rows, tensor};
use crate::message::Graph;

/// Added to the softplus of the scale: no forecast is more certain than this, in sigmas.
pub const LEAST_SCALE: f32 = 0.001;
/// Added to the softplus of the tail: with 2 degrees of freedom or more a Student t distribution has a mean.
pub const LEAST_TAIL: f32 = 2.0;

/// The weights of one step.
///
/// With gates i, o, f, c in this order, σ the logistic function, and `*` element by element:
/// `i, o, f = σ(w x + r h + b)`, `g = tanh(w x + r h + b)`, `c' = f*c + i*g`, `h' = o*tanh(c')`; then
/// `location, s, t = head_w h' + head_b`, `scale = softplus(s) + LEAST_SCALE`, `tail = softplus(t) + LEAST_TAIL`.
/// Matrices are row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Lstm {
    /// F: numbers that go in.
    pub inputs: usize,
    /// H: numbers of each of the two states.
    pub hidden: usize,
    /// K: steps that are forecast.
    pub horizons: usize,
    /// Shape `(4H, F)`, gate blocks i, o, f, c.
    pub w: Vec<f32>,
    /// Shape `(4H, H)`, gate blocks i, o, f, c.
    pub r: Vec<f32>,
    /// Shape `(4H)`: the sum of the input's and the state's bias.
    pub b: Vec<f32>,
    /// Shape `(3K, H)`: rows of location, scale, tail.
    pub head_w: Vec<f32>,
    /// Shape `(3K)`.
    pub head_b: Vec<f32>,
}

impl Lstm {
    /// Whether every list has the length that the three sizes ask for, and all is finite.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let (f, h, k) = (self.inputs, self.hidden, self.horizons);
        let lists = [
            (&self.w, 4 * h * f),
            (&self.r, 4 * h * h),
            (&self.b, 4 * h),
            (&self.head_w, 3 * k * h),
            (&self.head_b, 3 * k),
        ];
        f > 0
            && h > 0
            && k > 0
            && lists
                .iter()
                .all(|(list, n)| list.len() == *n && list.iter().all(|v| v.is_finite()))
    }
}

/// The file of one step: inputs `x`, `h`, `c`; outputs `location`, `scale`, `tail`, `h_next`, `c_next`; all f32 of shape
/// `(batch, _)` with a batch of any size. Weights that are not [`Lstm::is_sound`] make a file that [`crate::check`]
/// refuses.
#[must_use]
pub fn write_step(lstm: &Lstm, metadata: &Metadata) -> Vec<u8> {
    file(graph(lstm), metadata)
}

/// The graph of that file.
pub(crate) fn graph(lstm: &Lstm) -> Graph {
    let (f, h, k) = (lstm.inputs, lstm.hidden, lstm.horizons);
    // ONNX adds two biases; ours is their sum, so the second is zeros.
    let mut bias = lstm.b.clone();
    bias.resize(lstm.b.len() + 4 * h, 0.0);
    let initializer = vec![
        tensor("lstm_w", &[1, 4 * h, f], &lstm.w),
        tensor("lstm_r", &[1, 4 * h, h], &lstm.r),
        tensor("lstm_b", &[1, 8 * h], &bias),
        tensor("head_w", &[3 * k, h], &lstm.head_w),
        tensor("head_b", &[3 * k], &lstm.head_b),
        tensor("least_scale", &[1], &[LEAST_SCALE]),
        tensor("least_tail", &[1], &[LEAST_TAIL]),
        indices("first_axis", &[0]),
        indices("thirds", &[k as i64; 3]),
    ];
    let lift = |name: &str, to: &str| node("Unsqueeze", &[name, "first_axis"], &[to], vec![]);
    let lower = |name: &str, to: &str| node("Squeeze", &[name, "first_axis"], &[to], vec![]);
    Graph {
        name: "lstm_step".to_owned(),
        node: vec![
            lift("x", "x_sequence"),
            lift("h", "h_layer"),
            lift("c", "c_layer"),
            node(
                "LSTM",
                &[
                    "x_sequence",
                    "lstm_w",
                    "lstm_r",
                    "lstm_b",
                    "",
                    "h_layer",
                    "c_layer",
                ],
                &["", "h_last", "c_last"],
                vec![int("hidden_size", h as i64)],
            ),
            lower("h_last", "h_next"),
            lower("c_last", "c_next"),
            node(
                "Gemm",
                &["h_next", "head_w", "head_b"],
                &["heads"],
                vec![int("transB", 1)],
            ),
            node(
                "Split",
                &["heads", "thirds"],
                &["location", "raw_scale", "raw_tail"],
                vec![int("axis", 1)],
            ),
            node("Softplus", &["raw_scale"], &["soft_scale"], vec![]),
            node("Add", &["soft_scale", "least_scale"], &["scale"], vec![]),
            node("Softplus", &["raw_tail"], &["soft_tail"], vec![]),
            node("Add", &["soft_tail", "least_tail"], &["tail"], vec![]),
        ],
        initializer,
        input: vec![rows("x", f), rows("h", h), rows("c", h)],
        output: vec![
            rows("location", k),
            rows("scale", k),
            rows("tail", k),
            rows("h_next", h),
            rows("c_next", h),
        ],
        sparse_initializer: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::lstm;
    use crate::{DataType, Limits, TensorInfo, check};

    #[test]
    fn what_is_written_is_read_back_weight_by_weight() {
        let lstm = lstm(3, 5, 2);
        let metadata = Metadata::from([("forestall.seed".to_owned(), "7".to_owned())]);
        let checked = check(&write_step(&lstm, &metadata), &Limits::default()).unwrap();
        assert_eq!(checked.metadata, metadata);
        assert_eq!(checked.step.as_ref(), Some(&lstm));
        assert!(checked.ours);
        assert_eq!(checked.symbols, [["batch", ""]; 3]);
        let info = |name: &str, width| TensorInfo {
            name: name.to_owned(),
            dtype: DataType::F32,
            shape: vec![None, Some(width)],
        };
        assert_eq!(checked.inputs, [info("x", 3), info("h", 5), info("c", 5)]);
        let widths = [2, 2, 2, 5, 5];
        let names = ["location", "scale", "tail", "h_next", "c_next"];
        let outputs: Vec<_> = names
            .into_iter()
            .zip(widths)
            .map(|(n, w)| info(n, w))
            .collect();
        assert_eq!(checked.outputs, outputs);
        assert_eq!((checked.opset, checked.nodes), (17, 12));
    }

    #[test]
    fn weights_that_do_not_fit_make_a_file_that_is_refused() {
        let mut short = lstm(3, 5, 2);
        short.r.pop();
        assert!(!short.is_sound());
        let error = check(&write_step(&short, &Metadata::new()), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("lstm_r"), "{error}");
        let mut broken = lstm(3, 5, 2);
        broken.head_b[4] = f32::NAN;
        assert!(!broken.is_sound());
        let error = check(&write_step(&broken, &Metadata::new()), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "tensor \"head_b\" holds NaN at place 4");
    }
}
