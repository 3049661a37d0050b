//! One line, and what in it may be a secret.

use super::tokens::{before_word, masked_tokens};
use super::words::{is_plain, is_secret};
use super::{Hide, MASK};

/// Longer lines are not looked into but hidden: what is shown of a line is much less, and a file may be one line.
const MAX_BYTES: usize = 4096;

/// What ends a text of many lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Three quotes, as in TOML.
    Quotes(&'static str),
    /// A line of its own, as in a shell and in HCL.
    Line(String),
}

impl End {
    pub(super) fn is_on(&self, line: &Line<'_>) -> bool {
        match self {
            Self::Quotes(quotes) => line.text.contains(quotes),
            Self::Line(marker) => line.text.trim() == marker,
        }
    }
}

/// A line without its end.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    /// How many blanks it begins with.
    pub(super) indent: usize,
    /// The byte at which the value of a secret begins.
    pub(super) secret: Option<usize>,
    /// The name of a secret stands in it, with a value or without.
    named: bool,
    /// A name of a secret has nothing behind it but what opens a block.
    open: bool,
}

impl<'t> Line<'t> {
    /// `kubernetes`: whether `data` holds secrets.
    pub(super) fn new(text: &'t str, kubernetes: bool) -> Self {
        let text = text.trim_end_matches(['\n', '\r']);
        let indent = text.len() - text.trim_start().len();
        let mut line = Self {
            text,
            indent,
            secret: None,
            named: false,
            open: false,
        };
        if text.len() > MAX_BYTES {
            line.secret = Some(0);
            line.named = true;
            return line;
        }
        for (begin, end) in names(text) {
            let name = &text[begin..end];
            let data = kubernetes && matches!(name, "data" | "stringData");
            if !data && !is_secret(name) {
                continue;
            }
            let value = end + separator(&text[end..]);
            let rest = &text[value..];
            if is_plain(rest) {
                continue;
            }
            line.named = true;
            // `{value: x, name: PASSWORD}`: the value stands before the name.
            if let Some(before) = value_before(&text[..begin]) {
                line.secret = Some(before);
                break;
            }
            if is_void(rest) {
                line.open |= !text[end..].trim().is_empty();
                continue;
            }
            line.secret = Some(value);
            line.open = true;
            break;
        }
        line
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// `[name]`, as in INI and TOML, with a comment behind it or not.
    pub(super) fn is_section(&self) -> bool {
        let text = self.text.trim();
        text.starts_with('[')
            && text.split_once(']').is_some_and(|(name, rest)| {
                let rest = rest.trim_start_matches(']').trim_start();
                !name.contains(['"', '\'', ',', '='])
                    && (rest.is_empty() || rest.starts_with(['#', ';']))
            })
    }

    /// What ends a text of many lines that begins on this one, if it is that of a secret.
    pub(super) fn begins_text(&self) -> Option<End> {
        if !self.named {
            return None;
        }
        // An even number of them begins and ends it.
        let odd = |quotes: &&&str| self.text.matches(**quotes).count() % 2 == 1;
        if let Some(quotes) = ["\"\"\"", "'''"].iter().find(odd) {
            return Some(End::Quotes(quotes));
        }
        let (_, marker) = self.text.split_once("<<")?;
        let marker = marker.trim_start_matches(['-', '~', ' ', '"', '\'', '\\']);
        let end = marker.find(|c: char| !c.is_alphanumeric() && c != '_');
        let marker = &marker[..end.unwrap_or(marker.len())];
        (!marker.is_empty()).then(|| End::Line(marker.to_owned()))
    }

    pub(super) fn names_secret(&self) -> bool {
        self.named
    }

    /// Whether lines that are indented further belong to a secret. Prose in a comment opens nothing.
    pub(super) fn opens_block(&self) -> bool {
        self.open && !self.text.trim_start().starts_with('#')
    }

    /// An item of a list of YAML.
    pub(super) fn is_item(&self) -> bool {
        self.text.trim_start().starts_with('-')
    }

    /// Where the first name stands, behind the dashes of items.
    pub(super) fn key_indent(&self) -> usize {
        let mut text = self.text.trim_start();
        while let Some(item) = text.strip_prefix("- ") {
            text = item.trim_start();
        }
        self.text.len() - text.len()
    }

    /// Whether it is the value of something named elsewhere.
    pub(super) fn is_value(&self) -> bool {
        names(self.text)
            .next()
            .is_some_and(|(begin, end)| is_value_key(&self.text[begin..end]))
    }

    /// Where a private key in PEM begins.
    pub(super) fn private_key(&self) -> Option<usize> {
        let begin = self.text.find("-----BEGIN ")?;
        self.text[begin..].contains("PRIVATE KEY").then_some(begin)
    }

    /// The line as it may be shown.
    pub(super) fn with(&self, hide: Hide) -> String {
        let begin = match hide {
            Hide::Tokens => return masked_tokens(self.text),
            Hide::From(begin) => begin,
            Hide::All => self.indent,
            Hide::Value if self.is_blank() => return self.text.to_owned(),
            Hide::Value => self.text.find([':', '=']).map_or(self.indent, |sign| {
                let rest = &self.text[sign + 1..];
                sign + 1 + (rest.len() - rest.trim_start().len())
            }),
        };
        let mut shown = masked_tokens(&self.text[..before_word(self.text, begin)]);
        if !shown.ends_with(MASK) {
            shown.push_str(MASK);
        }
        shown
    }
}

/// Runs of the characters of names, as ranges of bytes.
fn names(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut from = 0;
    std::iter::from_fn(move || {
        let begin = from + text[from..].find(part)?;
        let rest = &text[begin..];
        let end = begin + rest.find(|c| !part(c)).unwrap_or(rest.len());
        from = end;
        Some((begin, end))
    })
}

/// How many bytes stand between a name and its value.
fn separator(rest: &str) -> usize {
    let sign = |c: char| c.is_whitespace() || "\"'`:=>])".contains(c);
    rest.find(|c| !sign(c)).unwrap_or(rest.len())
}

/// Whether what follows a name is no value: what opens a block, or what closes one.
fn is_void(rest: &str) -> bool {
    // Of YAML, `|-`, `>2` and their like; `>` was taken for a sign already.
    let rest = rest.trim();
    rest.chars().all(|c| "|-+{[(\\,;}])<>\"'*&".contains(c))
}

fn is_value_key(name: &str) -> bool {
    name.trim_matches('-').eq_ignore_ascii_case("value")
}

/// Where the value begins, if one is named in the text before the name of a secret.
fn value_before(text: &str) -> Option<usize> {
    let (_, end) = names(text).find(|&(begin, end)| is_value_key(&text[begin..end]))?;
    Some(end + separator(&text[end..]))
}
