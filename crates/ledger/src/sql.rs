//! Statements as data: their text, and what is bound to it. Nothing that came from outside is ever part of the text.

use remedy::audit::Hash;

/// What is bound to a place in a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(Some(n))
    }
}

impl From<Option<i64>> for Value {
    fn from(n: Option<i64>) -> Self {
        Self::Int(n)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::Int(Some(is.into()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

/// A text column: see [`column`].
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(column(text)))
    }
}

/// A statement, with its values in the order of their places.
#[derive(Debug)]
pub(crate) struct Statement {
    /// For the error: `writing plans`.
    pub(crate) doing: &'static str,
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    /// `?` in the text is the place of the next value: both databases know `$1`.
    pub(crate) fn new(
        doing: &'static str,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Self {
        let mut statement = Self {
            doing,
            sql: String::with_capacity(sql.len() + 16),
            values: Vec::new(),
        };
        statement.push(sql, values);
        statement
    }

    /// Adds to its end.
    pub(crate) fn push(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        let mut place = self.values.len();
        let mut parts = sql.split('?');
        self.sql.push_str(parts.next().unwrap_or_default());
        for part in parts {
            place += 1;
            self.sql.push_str(&format!("${place}"));
            self.sql.push_str(part);
        }
        self.values.extend(values);
        debug_assert_eq!(self.values.len(), place, "{}", self.sql);
    }

    /// Adds that a column is one of these; without any, it may be anything.
    pub(crate) fn push_one_of(&mut self, column: &str, values: impl IntoIterator<Item = Value>) {
        let values: Vec<Value> = values.into_iter().collect();
        if !values.is_empty() {
            let places = vec!["?"; values.len()].join(", ");
            self.push(&format!(" AND {column} IN ({places})"), values);
        }
    }
}

/// Longer texts stand in columns by their beginning and their hash: PostgreSQL takes no key above 2,704 bytes.
const MAX_COLUMN_BYTES: usize = 1024;
const KEPT_BYTES: usize = 900;

/// How a text stands in a column that is compared: escaped, and not too long.
pub(crate) fn column(text: &str) -> String {
    let mut escaped = escaped(text);
    if escaped.len() > MAX_COLUMN_BYTES {
        let hash = Hash::of(escaped.as_bytes());
        escaped.truncate(escaped.floor_char_boundary(KEPT_BYTES));
        // No escaped text holds this mark.
        escaped.push_str(&format!("\\#{hash}"));
    }
    escaped
}

/// How a text is kept from what a database cannot hold: PostgreSQL has no NUL in texts, so it is written `\0`, and a backslash `\\`. No two texts
/// become the same, and what begins with a text still begins with it. Bodies need none of this: JSON has its own escapes.
pub(crate) fn escaped(text: &str) -> String {
    if text.contains(['\0', '\\']) {
        text.replace('\\', "\\\\").replace('\0', "\\0")
    } else {
        text.to_owned()
    }
}

/// What [`escaped`] was made of.
pub(crate) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(match chars.next() {
                Some('0') => '\0',
                _ => '\\',
            }),
            c => out.push(c),
        }
    }
    out
}

/// A pattern for `LIKE … ESCAPE '!'` that matches whatever holds `text`.
pub(crate) fn holding(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in escaped(text).chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The first text, byte by byte, after all that begin with `prefix`; `None` when there is none. A range is searched in an
/// index of either database, and means the same in both; `LIKE` does not.
pub(crate) fn after_all_with(prefix: &str) -> Option<String> {
    let mut start: Vec<char> = prefix.chars().collect();
    while let Some(last) = start.pop() {
        // A range of characters steps over the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            start.push(next);
            return Some(start.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_counted_through_all_parts() {
        let mut statement = Statement::new("x", "SELECT a FROM t WHERE b = ?", [1.into()]);
        statement.push_one_of("c", [Value::from("x"), Value::from("y")]);
        statement.push_one_of("d", []);
        statement.push(" LIMIT ?", [7.into()]);
        let expected = "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3) LIMIT $4";
        assert_eq!(statement.sql, expected);
    }

    proptest! {
        #[test]
        fn escaping_is_undone_and_keeps_beginnings(a in ".{0,6}[\\\\\0]{0,3}.{0,4}", b in ".{0,4}[\\\\\0]{0,2}") {
            prop_assert_eq!(unescaped(&escaped(&a)), a.clone());
            prop_assert!(!escaped(&a).contains('\0'));
            let both = escaped(&format!("{a}{b}"));
            prop_assert!(both.starts_with(&escaped(&a)));
        }

        #[test]
        fn a_range_holds_what_begins_so_and_nothing_else(prefix in ".{1,4}", other in ".{0,6}") {
            let end = after_all_with(&prefix).unwrap();
            let within = |text: &str| *text >= *prefix && *text < *end;
            let longer = format!("{}{}", prefix, other);
            prop_assert!(within(&longer));
            prop_assert_eq!(within(&other), other.starts_with(&prefix));
        }
    }

    #[test]
    fn long_texts_are_cut_and_stay_apart() {
        let long = "ü\\".repeat(2000);
        let (a, b) = (column(&format!("{long}a")), column(&format!("{long}b")));
        assert_ne!(a, b);
        assert!(a.len() <= MAX_COLUMN_BYTES, "{}", a.len());
        assert_eq!(column("short"), "short");
    }

    #[test]
    fn nothing_comes_after_the_last_character() {
        assert_eq!(after_all_with("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_all_with("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_all_with("\u{10ffff}"), None);
    }
}
