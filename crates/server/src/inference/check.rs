//! Whether the tensors of a request fit a model. What does not is told by the tensor's name.

use super::runner::{Description, Rows, Slot};
use super::tensor::Tensor;

/// What is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The tensor, or the part of the request.
    pub(crate) place: String,
    pub(crate) what: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        let (place, what) = (place.into(), what.into());
        Self { place, what }
    }

    /// About an input tensor.
    pub(crate) fn of_input(name: &str, what: impl Into<String>) -> Self {
        Self::new(format!("inputs[{name:?}]"), what)
    }
}

/// Puts the named tensors of a request in the order of the model's inputs, checks them, and counts their rows: 1 for
/// models that know no rows. Each tensor holds as many bytes as its shape says.
pub(crate) fn inputs(
    description: &Description,
    named: Vec<(String, Tensor)>,
) -> Result<(Vec<Tensor>, usize), Problem> {
    let slots = &description.inputs;
    let mut places: Vec<Option<Tensor>> = vec![None; slots.len()];
    for (name, tensor) in named {
        let Some(place) = slots.iter().position(|slot| slot.name == name) else {
            let known: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
            let what = format!("no such input; there are {}", known.join(", "));
            return Err(Problem::of_input(&name, what));
        };
        fits(&slots[place], &tensor)?;
        // No model makes sense of it, and in a state that is carried on it would stay for good.
        if let Some(index) = tensor.first_not_finite() {
            let what = format!("element {index} is not a finite number");
            return Err(Problem::of_input(&name, what));
        }
        if places[place].replace(tensor).is_some() {
            return Err(Problem::of_input(&name, "given twice"));
        }
    }
    let mut ordered = Vec::with_capacity(slots.len());
    for (slot, tensor) in slots.iter().zip(places) {
        ordered.push(tensor.ok_or_else(|| Problem::of_input(&slot.name, "missing"))?);
    }
    let rows = match description.rows {
        Rows::Whole => 1,
        Rows::Independent => rows(slots, &ordered)?,
    };
    Ok((ordered, rows))
}

fn fits(slot: &Slot, tensor: &Tensor) -> Result<(), Problem> {
    let refuse = |what: String| Err(Problem::of_input(&slot.name, what));
    if tensor.dtype != slot.dtype {
        let (given, expected) = (tensor.dtype.name(), slot.dtype.name());
        return refuse(format!("datatype {given}, expected {expected}"));
    }
    let same_rank = tensor.shape.len() == slot.shape.len();
    let mut pairs = tensor.shape.iter().zip(&slot.shape);
    if !same_rank || !pairs.all(|(&given, expected)| expected.is_none_or(|e| e == given)) {
        let (given, expected) = (&tensor.shape, ShapeOf(&slot.shape));
        return refuse(format!("shape {given:?}, expected {expected}"));
    }
    // No model has a use for it, and runtimes differ in what they make of it.
    if tensor.shape.contains(&0) {
        return refuse(format!("shape {:?} holds nothing", tensor.shape));
    }
    Ok(())
}

fn rows(slots: &[Slot], tensors: &[Tensor]) -> Result<usize, Problem> {
    let of = |tensor: &Tensor| tensor.shape.first().copied().unwrap_or(1);
    let rows = tensors.first().map_or(1, of);
    for (slot, tensor) in slots.iter().zip(tensors) {
        if of(tensor) != rows {
            let (n, first) = (of(tensor), &slots[0].name);
            let what = format!("{n} rows, while {first:?} has {rows}");
            return Err(Problem::of_input(&slot.name, what));
        }
    }
    Ok(rows)
}

/// A shape with `-1` for any length, as the protocol writes it.
struct ShapeOf<'a>(&'a [Option<usize>]);

impl std::fmt::Display for ShapeOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut list = f.debug_list();
        for length in self.0 {
            match length {
                Some(length) => list.entry(length),
                None => list.entry(&-1),
            };
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::tensor::Dtype;

    fn description(rows: Rows) -> Description {
        let slot = |name: &str, columns| Slot {
            name: name.to_owned(),
            dtype: Dtype::Fp32,
            shape: vec![None, Some(columns)],
        };
        Description {
            platform: String::new(),
            inputs: vec![slot("x", 2), slot("h", 1)],
            outputs: Vec::new(),
            rows,
        }
    }

    fn f32s(name: &str, shape: &[usize], fill: f32) -> (String, Tensor) {
        let n = shape.iter().product();
        (
            name.to_owned(),
            Tensor::of_f32(shape.to_vec(), &vec![fill; n]),
        )
    }

    #[track_caller]
    fn refused(named: Vec<(String, Tensor)>, place: &str, what: &str) {
        let description = description(Rows::Independent);
        let problem = inputs(&description, named).unwrap_err();
        assert_eq!(problem, Problem::new(place, what));
    }

    #[test]
    fn tensors_are_put_in_the_models_order() {
        let named = vec![f32s("h", &[3, 1], 2.0), f32s("x", &[3, 2], 1.0)];
        let description = description(Rows::Independent);
        let (ordered, rows) = inputs(&description, named).unwrap();
        assert_eq!((ordered[0].shape.clone(), rows), (vec![3, 2], 3));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (x, h) = (f32s("x", &[1, 2], 0.0), f32s("h", &[1, 1], 0.0));
        let unknown = "no such input; there are x, h";
        refused(vec![f32s("y", &[1], 0.0)], r#"inputs["y"]"#, unknown);
        refused(vec![x.clone()], r#"inputs["h"]"#, "missing");
        refused(vec![x.clone(), x.clone()], r#"inputs["x"]"#, "given twice");
        let shape = "shape [1, 3], expected [-1, 2]";
        refused(vec![f32s("x", &[1, 3], 0.0)], r#"inputs["x"]"#, shape);
        let rank = "shape [2], expected [-1, 2]";
        refused(vec![f32s("x", &[2], 0.0)], r#"inputs["x"]"#, rank);
        let nothing = "shape [0, 2] holds nothing";
        refused(vec![f32s("x", &[0, 2], 0.0)], r#"inputs["x"]"#, nothing);
        let nan = "element 0 is not a finite number";
        refused(vec![f32s("x", &[1, 2], f32::NAN)], r#"inputs["x"]"#, nan);
        let rows = r#"2 rows, while "x" has 1"#;
        refused(vec![x, f32s("h", &[2, 1], 0.0)], r#"inputs["h"]"#, rows);
        let mut wide = h;
        wide.1.dtype = Dtype::Int32;
        refused(
            vec![wide],
            r#"inputs["h"]"#,
            "datatype INT32, expected FP32",
        );
    }

    #[test]
    fn without_rows_the_first_axes_may_differ() {
        let named = vec![f32s("x", &[1, 2], 1.0), f32s("h", &[4, 1], 0.0)];
        let description = description(Rows::Whole);
        assert_eq!(inputs(&description, named).unwrap().1, 1);
    }
}
