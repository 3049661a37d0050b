//! From TOML to a configuration: finds all that cannot be read, not just the first thing.

use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

use super::check::{problem, ranges};
use super::{Config, Problem};

/// Longest text of a value in an error, in characters.
const MAX_SHOWN: usize = 80;

/// Reads a configuration, or tells of everything that is wrong with it.
///
/// serde stops at the first error. So each key is first read alone, in a file of its own so to speak, and so is each element
/// of a list: those that fail are reported and left out, and what remains is read together, checked for its ranges, and shown
/// to `look`.
pub(super) fn parse(
    text: &str,
    look: impl Fn(&Config) -> Vec<Problem>,
) -> Result<Config, Vec<Problem>> {
    let mut given: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let place = line
            .map(|line| format!("line {line}: "))
            .unwrap_or_default();
        vec![problem(
            "",
            format!("{place}{}", error.message().trim_end()),
        )]
    })?;
    given.iter_mut().for_each(|(_, value)| spell_times(value));
    let shape =
        Table::try_from(Config::default()).map_err(|error| vec![problem("", error.to_string())])?;
    let mut reader = Reader::default();
    for (path, value) in leaves(&given, &shape, &[]) {
        reader.take(&path, value);
    }
    let Reader {
        good,
        mut problems,
        thinned,
    } = reader;
    match good.try_into::<Config>() {
        Ok(config) => {
            let said = ranges(&config).into_iter().chain(look(&config));
            problems.extend(said.map(|said| counted_as_given(said, &thinned)));
            if problems.is_empty() {
                Ok(config)
            } else {
                Err(problems)
            }
        }
        Err(error) => {
            problems.push(problem("", one_line(error.message())));
            Err(problems)
        }
    }
}

/// Dates and times are read from texts; TOML has them without quotes too.
fn spell_times(value: &mut Value) {
    match value {
        Value::Datetime(at) => *value = Value::String(at.to_string()),
        Value::Array(all) => all.iter_mut().for_each(spell_times),
        Value::Table(all) => all.iter_mut().for_each(|(_, value)| spell_times(value)),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {}
    }
}

/// The keys of `given`, as deep as `shape` has sections.
fn leaves<'a>(given: &'a Table, shape: &Table, at: &[&'a str]) -> Vec<(Vec<&'a str>, &'a Value)> {
    let mut found = Vec::new();
    for (key, value) in given {
        let path = [at, &[key.as_str()]].concat();
        match (value, shape.get(key)) {
            // An empty section of the shape is a map: its keys are the user's.
            (Value::Table(inner), Some(Value::Table(shape))) if !shape.is_empty() => {
                found.extend(leaves(inner, shape, &path));
            }
            _ => found.push((path, value)),
        }
    }
    found
}

#[derive(Default)]
struct Reader {
    /// What can be read.
    good: Table,
    problems: Vec<Problem>,
    /// Lists that lost elements: the key, and where those that are left stood.
    thinned: Vec<(String, Vec<usize>)>,
}

impl Reader {
    fn take(&mut self, path: &[&str], value: &Value) {
        let Err(error) = alone(path, value) else {
            put(&mut self.good, path, value.clone());
            return;
        };
        let Value::Array(all) = value else {
            self.problems.push(error.told(path, None));
            return;
        };
        let n_before = self.problems.len();
        let is_good = |&(i, element): &(usize, &Value)| self.is_element_good(path, i, element);
        let (kept, left): (Vec<_>, Vec<_>) = all
            .iter()
            .enumerate()
            .filter(is_good)
            .map(|(i, element)| (i, element.clone()))
            .unzip();
        if self.problems.len() == n_before {
            self.problems.push(error.told(path, None));
            return;
        }
        put(&mut self.good, path, Value::Array(left));
        self.thinned.push((path.join("."), kept));
    }

    /// Whether an element of a list can be read; otherwise says why not: for each of its fields, if it has some.
    fn is_element_good(&mut self, path: &[&str], i: usize, element: &Value) -> bool {
        let try_it = |element: Value| alone(path, &Value::Array(vec![element]));
        let Err(error) = try_it(element.clone()) else {
            return true;
        };
        let n_before = self.problems.len();
        for (key, value) in element.as_table().into_iter().flatten() {
            let field = Table::from_iter([(key.clone(), value.clone())]);
            // Others may be missing to it, which is told of the whole element.
            if let Err(error) = try_it(Value::Table(field))
                && error.at.iter().len() > path.len() + 1
            {
                self.problems.push(error.told(path, Some(i)));
            }
        }
        if self.problems.len() == n_before {
            self.problems.push(error.told(path, Some(i)));
        }
        false
    }
}

/// Why a key cannot be read when all others have their defaults.
struct Refusal {
    /// Where.
    at: Path,
    message: String,
    /// What was to be read there, if it is one value and the message does not tell it.
    value: Option<String>,
}

impl Refusal {
    /// With its key. `i`: which element of its list it was, before that was read alone.
    fn told(self, path: &[&str], mut i: Option<usize>) -> Problem {
        let mut key = path.join(".");
        for segment in self.at.iter().skip(path.len()) {
            match segment {
                Segment::Seq { index } => key += &format!("[{}]", i.take().unwrap_or(*index)),
                Segment::Map { key: name } => key += &format!(".{name}"),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        let shown = self.value.map(|value| format!("{value}: "));
        problem(&key, shown.unwrap_or_default() + &self.message)
    }
}

fn alone(path: &[&str], value: &Value) -> Result<(), Refusal> {
    let mut table = Table::new();
    put(&mut table, path, value.clone());
    let read: Result<Config, _> = serde_path_to_error::deserialize(Value::Table(table.clone()));
    read.map(drop).map_err(|error| {
        let message = one_line(error.inner().message());
        let at = error.path().clone();
        let value = shown(&Value::Table(table), &at, &message);
        Refusal { at, message, value }
    })
}

/// The value at a place, if it is a single one that the message does not tell.
fn shown(root: &Value, at: &Path, message: &str) -> Option<String> {
    // A field that there is not is wrong whatever its value.
    if let Some(Segment::Map { key }) = at.iter().next_back()
        && message.contains(&format!("`{key}`"))
    {
        return None;
    }
    let value = at.iter().try_fold(root, |value, segment| match segment {
        Segment::Seq { index } => value.get(*index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { .. } | Segment::Unknown => Some(value),
    })?;
    let (plain, quoted) = match value {
        Value::String(text) => {
            let text: String = text.chars().take(MAX_SHOWN).collect();
            (text.clone(), format!("{text:?}"))
        }
        Value::Table(_) | Value::Array(_) => return None,
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
            (value.to_string(), value.to_string())
        }
    };
    let is_told = message.contains(&plain) && !plain.is_empty();
    (!is_told).then_some(quoted)
}

/// A problem of a list that lost elements, by the place that its element had before.
fn counted_as_given(mut said: Problem, thinned: &[(String, Vec<usize>)]) -> Problem {
    for (list, kept) in thinned {
        let rest = said.key.strip_prefix(list.as_str());
        let Some((i, rest)) = rest
            .and_then(|rest| rest.strip_prefix('['))
            .and_then(|rest| rest.split_once(']'))
        else {
            continue;
        };
        let given = i.parse::<usize>().ok().and_then(|i| kept.get(i));
        if let Some(given) = given {
            said.key = format!("{list}[{given}]{rest}");
            return said;
        }
    }
    said
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn put(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert((*key).to_owned(), value);
        }
        [key, rest @ ..] => {
            let inner = table
                .entry((*key).to_owned())
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
