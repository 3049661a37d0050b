//! An expression is tried on an example, so that a slip of the pen is found by whoever makes it, and not by holding every plan.

use std::collections::BTreeMap;

use cel::objects::{Key, Map};
use cel::{Context, ExecutionError, IdedExpr, Value};

use super::reading::{Branch, Reading};
use super::view::{View, context};

/// What an attribute holds in the example: it can be read as a number.
const ATTRIBUTE: &str = "1";

/// What is wrong with an expression, for people.
pub(super) fn run(expression: &IdedExpr) -> Result<(), String> {
    // One that is too deep was refused before.
    let Some(reading) = Reading::of(expression) else {
        return Ok(());
    };
    // Whatever attribute it reads, the example has.
    let attributes: BTreeMap<_, _> = reading
        .paths
        .iter()
        .filter_map(|path| match path[..] {
            ["entity", "attributes", key, ..] => Some((key.to_owned(), ATTRIBUTE.to_owned())),
            _ => None,
        })
        .collect();
    let variables = View::example(&attributes)
        .variables()
        .map_err(|error| error.to_string())?;
    fields(&reading, &variables)?;
    let context = context(variables);
    reading
        .branches
        .iter()
        .try_for_each(|&branch| work_out(branch, &context))
}

/// Each field that is read is there.
fn fields(reading: &Reading<'_>, variables: &[(&'static str, Value)]) -> Result<(), String> {
    for path in &reading.paths {
        let [root, field, ..] = path[..] else {
            continue;
        };
        let of_root = variables.iter().find(|(name, _)| *name == root);
        let Some((_, Value::Map(known))) = of_root else {
            continue;
        };
        let known = names(known);
        if !known.contains(&field) {
            let known = known.join(", ");
            return Err(format!("it reads {root}.{field}; {root} has {known}"));
        }
    }
    Ok(())
}

fn names(known: &Map) -> Vec<&str> {
    let names = known.map.keys().filter_map(|key| match key {
        Key::String(name) => Some(name.as_str()),
        Key::Int(_) | Key::Uint(_) | Key::Bool(_) => None,
    });
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

fn work_out(branch: Branch<'_>, context: &Context<'_, '_>) -> Result<(), String> {
    match Value::resolve(branch.part, context) {
        Ok(Value::Bool(_)) => Ok(()),
        Ok(other) if branch.is_condition => {
            let found = other.type_of();
            Err(format!("it is of type {found}, neither true nor false"))
        }
        Ok(_) => Ok(()),
        Err(error) if is_of_values(&error) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether it may be the values of the example that do not go together, rather than their types: others may come.
fn is_of_values(error: &ExecutionError) -> bool {
    matches!(
        error,
        ExecutionError::NoSuchKey(_)
            | ExecutionError::IndexOutOfBounds(_)
            | ExecutionError::DivisionByZero(_)
            | ExecutionError::RemainderByZero(_)
            | ExecutionError::Overflow(..)
            | ExecutionError::FunctionError { .. }
    )
}
