//! Is this graph the step of an LSTM that we know by heart?
//!
//! Names inside of a graph mean nothing, and PyTorch wraps the same arithmetic in other reshapes with each release. So
//! nodes that only move numbers about are looked through, and the rest must be exactly [`crate::Lstm`]'s formulas. A
//! match is a strong hint, not a proof: whoever runs the weights in another way compares the two on numbers first.

use std::collections::HashMap;

use crate::check::TensorInfo;
use crate::message::{Graph, Node, Tensor};
use crate::step::{LEAST_SCALE, LEAST_TAIL, Lstm};
use crate::tensor::{DataType, floats};

/// Nodes that are looked through at most between two that count.
const MOST_WRAPPING: usize = 16;
/// From here on softplus(x) is x, but for less than half a unit in the last place of f32.
const SOFTPLUS_IS_ITSELF: f32 = 16.0;
/// Widest input and state that are looked at.
const WIDEST: u64 = 4_096;

/// The weights of a step, if the graph is one. The graph has passed the checks.
pub(crate) fn step(graph: &Graph, inputs: &[TensorInfo], outputs: &[TensorInfo]) -> Option<Lstm> {
    let view = View::new(graph);
    let width = |infos: &[TensorInfo], name: &str| {
        let info = infos.iter().find(|info| info.name == name)?;
        match info.shape[..] {
            [None, Some(width @ 1..=WIDEST)] if info.dtype == DataType::F32 => Some(width as usize),
            _ => None,
        }
    };
    let (f, h) = (width(inputs, "x")?, width(inputs, "h")?);
    if inputs.len() != 3 || width(inputs, "c")? != h || outputs.len() != 5 {
        return None;
    }
    let mut cells = graph.node.iter().filter(|node| node.op_type == "LSTM");
    let (cell, None) = (cells.next()?, cells.next()) else {
        return None;
    };
    let (w, r, b) = view.cell(cell, f, h)?;
    let given = |name: &str| {
        let (node, place) = view.given_by(name)?;
        std::ptr::eq(node, cell).then_some(place)
    };
    if !matches!(given("h_next")?, 0 | 1) || given("c_next")? != 2 {
        return None;
    }
    let hidden = |name: &str| matches!(given(name), Some(0 | 1));
    let location = view.affine("location", h, &hidden)?;
    let scale = view.affine(view.soft("scale", LEAST_SCALE)?, h, &hidden)?;
    let tail = view.affine(view.soft("tail", LEAST_TAIL)?, h, &hidden)?;
    let lstm = Lstm {
        inputs: f,
        hidden: h,
        horizons: location.1.len(),
        w,
        r,
        b,
        head_w: [location.0, scale.0, tail.0].concat(),
        head_b: [location.1, scale.1, tail.1].concat(),
    };
    lstm.is_sound().then_some(lstm)
}

/// Rows of a matrix of shape `(K, H)`, and as many biases.
type Affine = (Vec<f32>, Vec<f32>);

/// A graph by its names.
struct View<'a> {
    nodes: HashMap<&'a str, (&'a Node, usize)>,
    tensors: HashMap<&'a str, &'a Tensor>,
}

impl<'a> View<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut tensors: HashMap<_, _> = graph
            .initializer
            .iter()
            .map(|t| (t.name.as_str(), t))
            .collect();
        let mut nodes = HashMap::new();
        for node in &graph.node {
            for (place, name) in node.output.iter().enumerate() {
                nodes.insert(name.as_str(), (node, place));
            }
            if let ("Constant", [name], [value]) =
                (&*node.op_type, &node.output[..], &node.attribute[..])
                && let Some(tensor) = &value.t
            {
                tensors.insert(name, tensor);
            }
        }
        Self { nodes, tensors }
    }

    /// The name behind nodes that only move numbers about.
    fn behind(&self, mut name: &'a str) -> &'a str {
        for _ in 0..MOST_WRAPPING {
            let Some((node, 0)) = self.nodes.get(name) else {
                break;
            };
            let moves = match &*node.op_type {
                "Identity" | "Squeeze" | "Unsqueeze" | "Reshape" | "Transpose" | "Flatten" => true,
                // One step of a sequence that has one.
                "Gather" => node
                    .input
                    .get(1)
                    .is_some_and(|index| self.is_one_index(index)),
                _ => false,
            };
            match node.input.first() {
                Some(input) if moves => name = input,
                _ => break,
            }
        }
        name
    }

    /// The name behind those and the slice by which PyTorch takes one layer of a state that has one.
    fn behind_layers(&self, name: &'a str) -> &'a str {
        let name = self.behind(name);
        match self
            .nodes
            .get(name)
            .map(|(node, _)| (&*node.op_type, &node.input[..]))
        {
            Some(("Slice", [from, bounds @ ..]))
                if bounds.iter().all(|bound| self.is_one_index(bound)) =>
            {
                self.behind(from)
            }
            _ => name,
        }
    }

    fn is_one_index(&self, name: &str) -> bool {
        self.tensors
            .get(name)
            .is_some_and(|tensor| tensor.dims.iter().product::<i64>() == 1)
    }

    /// The node that counts, and which of its outputs it is.
    fn given_by(&self, name: &str) -> Option<(&'a Node, usize)> {
        let (&name, _) = self.nodes.get_key_value(name)?;
        self.nodes.get(self.behind(name)).copied()
    }

    /// A constant of f32 and of this shape, but for dimensions of 1.
    fn floats(&self, name: &str, shape: &[usize]) -> Option<Vec<f32>> {
        let tensor = self.tensors.get(name)?;
        let dims = tensor.dims.iter().filter(|dim| **dim != 1);
        let shape = shape.iter().filter(|dim| **dim != 1);
        let same = dims.copied().eq(shape.map(|&dim| dim as i64));
        (same && tensor.data_type == DataType::F32 as i32).then(|| floats(tensor).collect())
    }

    /// The weights of the cell, when it is the plain one over `x`, `h` and `c`: gate blocks i, o, f, c as ONNX has them.
    fn cell(&self, cell: &'a Node, f: usize, h: usize) -> Option<(Vec<f32>, Vec<f32>, Vec<f32>)> {
        let plain = cell.attribute.iter().all(|a| match &*a.name {
            "hidden_size" => a.i == h as i64,
            "direction" => a.s == b"forward",
            "layout" | "input_forget" => a.i == 0,
            _ => false,
        });
        let input = |place: usize| cell.input.get(place).filter(|name| !name.is_empty());
        let from = |place, name| input(place).is_some_and(|i| self.behind_layers(i) == name);
        let states = from(0, "x") && from(5, "h") && from(6, "c");
        if !plain || !states || input(4).is_some() || input(7).is_some() {
            return None;
        }
        let w = self.floats(input(1)?, &[4 * h, f])?;
        let r = self.floats(input(2)?, &[4 * h, h])?;
        let b = match input(3) {
            None => vec![0.0; 4 * h],
            Some(name) => {
                let both = self.floats(name, &[8 * h])?;
                let (of_x, of_h) = both.split_at(4 * h);
                of_x.iter().zip(of_h).map(|(a, b)| a + b).collect()
            }
        };
        Some((w, r, b))
    }

    /// What `softplus` is taken of, when the name stands for `softplus(_) + least`.
    fn soft(&self, name: &str, least: f32) -> Option<&'a str> {
        let (sum, _) = self.given_by(name)?;
        let ("Add", [a, b]) = (&*sum.op_type, &sum.input[..]) else {
            return None;
        };
        let is_least = |name| {
            let value = self.floats(name, &[1]);
            value.is_some_and(|value| value.iter().all(|v| v.to_bits() == least.to_bits()))
        };
        let soft = match (is_least(b), is_least(a)) {
            (true, _) => a,
            (_, true) => b,
            _ => return None,
        };
        let (mut node, _) = self.given_by(soft)?;
        // PyTorch computes `x > 20 ? x : softplus(x)`, which is softplus to the last bit of f32.
        if let ("Where", [large, x, otherwise]) = (&*node.op_type, &node.input[..]) {
            let (inner, _) = self.given_by(otherwise)?;
            let (test, _) = self.given_by(large)?;
            if test.op_type != "Greater"
                || test.input.first() != Some(x)
                || inner.input != [x.as_str()]
            {
                return None;
            }
            let limit = self.floats(test.input.get(1)?, &[1])?;
            if limit.iter().any(|limit| *limit < SOFTPLUS_IS_ITSELF) {
                return None;
            }
            node = inner;
        }
        (node.op_type == "Softplus").then(|| node.input.first().map(String::as_str))?
    }

    /// Weights and biases, when the name stands for an affine map of the hidden state, or for a third of one.
    fn affine(&self, name: &str, h: usize, hidden: &dyn Fn(&str) -> bool) -> Option<Affine> {
        let (node, place) = self.given_by(name)?;
        if node.op_type != "Split" {
            return self.whole(node, h, hidden);
        }
        let along_rows = node
            .attribute
            .iter()
            .all(|a| (a.name == "axis" && matches!(a.i, 1 | -1)) || a.name == "num_outputs");
        let (map, _) = self.given_by(node.input.first()?)?;
        let (weights, biases) = self.whole(map, h, hidden)?;
        let part = biases.len() / node.output.len();
        let even = part * node.output.len() == biases.len() && self.splits_evenly(node, part);
        let rows = place * part..(place + 1) * part;
        (along_rows && even).then(|| {
            (
                weights[rows.start * h..rows.end * h].to_vec(),
                biases[rows].to_vec(),
            )
        })
    }

    fn splits_evenly(&self, split: &Node, part: usize) -> bool {
        let Some(sizes) = split.input.get(1).filter(|name| !name.is_empty()) else {
            return true;
        };
        self.tensors.get(sizes.as_str()).is_some_and(|tensor| {
            let raw = tensor.raw_data.as_chunks::<8>().0.iter();
            raw.map(|bytes| i64::from_le_bytes(*bytes))
                .chain(tensor.int64_data.iter().copied())
                .all(|size| size == part as i64)
        })
    }

    /// Weights and biases of a Gemm over the hidden state.
    fn whole(&self, node: &Node, h: usize, hidden: &dyn Fn(&str) -> bool) -> Option<Affine> {
        let ("Gemm", [a, b, c]) = (&*node.op_type, &node.input[..]) else {
            return None;
        };
        let mut transposed = false;
        for attribute in &node.attribute {
            match &*attribute.name {
                "transB" => transposed = attribute.i == 1,
                "transA" if attribute.i == 0 => {}
                "alpha" | "beta" if attribute.f.to_bits() == 1.0_f32.to_bits() => {}
                _ => return None,
            }
        }
        let n = usize::try_from(self.tensors.get(c.as_str())?.dims.iter().product::<i64>()).ok()?;
        let biases = self.floats(c, &[n])?;
        let weights = if transposed {
            self.floats(b, &[n, h])?
        } else {
            let columns = self.floats(b, &[h, n])?;
            let row = |k| (0..h).map(move |j| (j, k));
            let places = (0..n).flat_map(row);
            places.map(|(j, k)| columns[j * n + k]).collect()
        };
        hidden(a).then_some((weights, biases))
    }
}
