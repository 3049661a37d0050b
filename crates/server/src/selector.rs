//! Picks series by name and labels, written as a PromQL selector.
//!
//! The syntax is the one that people who run Prometheus have in their fingers: `up`, `{job="db"}`,
//! `node_cpu{mode=~"io.*",host!="a"}`. A label that is not there has the empty value, so `{host!="a"}` picks series
//! without a host and `{host=""}` picks only those.

use regex::{Regex, RegexBuilder};
use series::SeriesKey;

/// Longest selector, in bytes.
const MAX_BYTES: usize = 4096;
/// Most matchers in one selector.
const MAX_MATCHERS: usize = 32;
/// Memory that one compiled expression may take. Matching is linear in the text whatever the expression is.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// A parsed selector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    matchers: Vec<Matcher>,
}

#[derive(Debug, Clone)]
struct Matcher {
    /// `None` is the metric's name.
    label: Option<String>,
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equals(String),
    Matches(Regex),
}

/// Why a selector is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectorError {
    /// It does not parse.
    #[error("at byte {at}: expected {expected}")]
    Syntax {
        /// Where, counted from 0.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// An expression does not compile.
    #[error("regular expression {pattern:?}: {message}")]
    Regex {
        /// The expression.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// It is longer than [`MAX_BYTES`] or has more than [`MAX_MATCHERS`] matchers.
    #[error("too long: at most {MAX_BYTES} bytes and {MAX_MATCHERS} matchers are allowed")]
    Long,
}

impl Selector {
    /// Reads a selector; an empty text picks everything.
    ///
    /// # Errors
    /// See [`SelectorError`].
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.len() > MAX_BYTES {
            return Err(SelectorError::Long);
        }
        let mut at = Cursor { text, at: 0 };
        let mut matchers = Vec::new();
        let name = at.name();
        if !name.is_empty() {
            matchers.push(Matcher {
                label: None,
                negated: false,
                test: Test::Equals(name.to_owned()),
            });
        }
        if at.eat("{") {
            while !at.eat("}") {
                matchers.push(at.matcher()?);
                if matchers.len() > MAX_MATCHERS {
                    return Err(SelectorError::Long);
                }
                if !at.eat(",") && !at.rest().trim_start().starts_with('}') {
                    return Err(at.expected("',' or '}'"));
                }
            }
        }
        if at.rest().trim_start().is_empty() {
            Ok(Self { matchers })
        } else {
            Err(at.expected("'{' or the end"))
        }
    }

    /// Whether it picks every series there is.
    #[must_use]
    pub(crate) fn is_everything(&self) -> bool {
        self.matchers.is_empty()
    }

    /// Whether it picks this series.
    #[must_use]
    pub(crate) fn picks(&self, key: &SeriesKey) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = match &matcher.label {
                None => key.metric(),
                Some(label) => key.label(label).unwrap_or_default(),
            };
            let holds = match &matcher.test {
                Test::Equals(text) => value == text,
                Test::Matches(regex) => regex.is_match(value),
            };
            holds != matcher.negated
        })
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> SelectorError {
        let blanks = self.rest().len() - self.rest().trim_start().len();
        SelectorError::Syntax {
            at: self.at + blanks,
            expected,
        }
    }

    /// Steps over blanks and `token` if it comes next; else stays.
    fn eat(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest().trim_start().strip_prefix(token) else {
            return false;
        };
        self.at = self.text.len() - rest.len();
        true
    }

    fn name(&mut self) -> &'a str {
        let from = self.rest().trim_start();
        let end = from
            .find(|c: char| c.is_whitespace() || c.is_control() || "\"'{}=!~,\\".contains(c))
            .unwrap_or(from.len());
        self.at = self.text.len() - from.len() + end;
        &from[..end]
    }

    fn matcher(&mut self) -> Result<Matcher, SelectorError> {
        let name = self.name();
        if name.is_empty() {
            return Err(self.expected("a label's name"));
        }
        // The longer operators first: `=` is the beginning of `=~`.
        let (negated, is_regex) = if self.eat("=~") {
            (false, true)
        } else if self.eat("!~") {
            (true, true)
        } else if self.eat("!=") {
            (true, false)
        } else if self.eat("=") {
            (false, false)
        } else {
            return Err(self.expected("'=', '!=', '=~' or '!~'"));
        };
        let value = self.quoted()?;
        let test = if is_regex {
            Test::Matches(whole(&value)?)
        } else {
            Test::Equals(value)
        };
        Ok(Matcher {
            label: (name != "__name__").then(|| name.to_owned()),
            negated,
            test,
        })
    }

    fn quoted(&mut self) -> Result<String, SelectorError> {
        let quote = if self.eat("\"") {
            '"'
        } else if self.eat("'") {
            '\''
        } else {
            return Err(self.expected("a value in quotes"));
        };
        let mut value = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => {
                    match chars.next() {
                        Some((_, 'n')) => value.push('\n'),
                        Some((_, 't')) => value.push('\t'),
                        Some((_, c @ ('\\' | '"' | '\''))) => value.push(c),
                        _ => {
                            self.at += i;
                            return Err(self.expected("one of \\\\ \\\" \\' \\n \\t (an expression needs two backslashes)"));
                        }
                    }
                }
                c if c == quote => {
                    self.at += i + 1;
                    return Ok(value);
                }
                c => value.push(c),
            }
        }
        self.at = self.text.len();
        Err(self.expected("the closing quote"))
    }
}

/// An expression that must match all of a value, as in Prometheus.
fn whole(pattern: &str) -> Result<Regex, SelectorError> {
    RegexBuilder::new(&format!("^(?s:{pattern})$"))
        .size_limit(MAX_REGEX_BYTES)
        .dfa_size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|e| SelectorError::Regex {
            pattern: pattern.to_owned(),
            message: e.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = [
        r#"up"#,
        r#"cpu{host="a",mode="iowait"}"#,
        r#"cpu{host="b",mode="user"}"#,
        r#"say{text="a\"b"}"#,
    ];

    #[track_caller]
    fn check(selector: &str, expected: &[usize]) {
        let selector = Selector::parse(selector).unwrap();
        let picked: Vec<usize> = (0..KEYS.len())
            .filter(|&i| selector.picks(&KEYS[i].parse().unwrap()))
            .collect();
        assert_eq!(picked, expected);
    }

    #[test]
    fn picks_as_prometheus_does() {
        check("", &[0, 1, 2, 3]);
        check("  { } ", &[0, 1, 2, 3]);
        check("cpu", &[1, 2]);
        check(r#"cpu{mode=~"io.*"}"#, &[1]);
        check(r#"{mode=~"o"}"#, &[]);
        check(r#"{__name__!~"cpu|up"}"#, &[3]);
        check(r#"{host!="a", }"#, &[0, 2, 3]);
        check(r#"{host=""}"#, &[0, 3]);
        check(r#" say { text = "a\"b" } "#, &[3]);
        check(r#"{host='b',mode!~"io.+"}"#, &[2]);
    }

    #[track_caller]
    fn refuses(selector: &str, message: &str) {
        let error = Selector::parse(selector).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        refuses("cpu{", "at byte 4: expected a label's name");
        refuses("cpu{a}", "at byte 5: expected '=', '!=', '=~' or '!~'");
        refuses("cpu{a=b}", "at byte 6: expected a value in quotes");
        refuses("cpu{a=\"b", "at byte 8: expected the closing quote");
        refuses(r#"cpu{a="b" c="d"}"#, "at byte 10: expected ',' or '}'");
        refuses("cpu x", "at byte 4: expected '{' or the end");
        refuses(r#"{a=~"\d"}"#, "at byte 5: expected one of");
        refuses(r#"{a=~"("}"#, "regular expression \"(\"");
        refuses(&"x".repeat(5000), "too long");
    }

    #[test]
    fn an_expression_that_would_take_much_memory_is_refused() {
        refuses(r#"{a=~"(x{1000}){1000}"}"#, "regular expression");
    }
}
