//! Where two decisions differ.

use serde_json::Value;

use crate::plain;

/// The first place where two recorded texts differ.
pub(super) fn difference(recorded: &str, now: &str) -> String {
    let values = (
        serde_json::from_str::<Value>(recorded),
        serde_json::from_str::<Value>(now),
    );
    let place = match &values {
        (Ok(recorded), Ok(now)) => first(recorded, now, String::new()),
        _ => None,
    };
    let text = place.unwrap_or_else(|| {
        let at = recorded
            .bytes()
            .zip(now.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        format!("the texts differ from byte {at} on")
    });
    plain::line(&text)
}

/// `candidates[2].cost.acting: recorded 1.5, now 1.6`; `None` when the values are the same.
fn first(recorded: &Value, now: &Value, path: String) -> Option<String> {
    let join = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match (recorded, now) {
        (a, b) if a == b => None,
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.filter_map(|key| {
                let of = |all: &serde_json::Map<String, Value>| {
                    all.get(key).cloned().unwrap_or(Value::Null)
                };
                first(&of(a), &of(b), join(key))
            })
            .next()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs
                .filter_map(|(i, (a, b))| first(a, b, format!("{path}[{i}]")))
                .next()
        }
        (Value::Array(a), Value::Array(b)) => Some(format!(
            "{path}: recorded {} items, now {}",
            a.len(),
            b.len()
        )),
        (a, b) => {
            let shown = |value: &Value| plain::cut(&value.to_string(), 120);
            Some(format!("{path}: recorded {}, now {}", shown(a), shown(b)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let check = |a: &str, b: &str, expected: &str| assert_eq!(difference(a, b), expected);
        check(
            r#"{"a":[{"x":1.5},2]}"#,
            r#"{"a":[{"x":1.6},3]}"#,
            "a[0].x: recorded 1.5, now 1.6",
        );
        check(
            r#"{"a":1}"#,
            r#"{"a":1,"b":null,"c":"\u001b"}"#,
            "c: recorded null, now \"\\u001b\"",
        );
        check("[1,2]", "[1]", ": recorded 2 items, now 1");
        check(
            r#"{"a":1}"#,
            r#"{"a": 1}"#,
            "the texts differ from byte 5 on",
        );
        check("{", "[", "the texts differ from byte 0 on");
    }
}
