//! Lines of configuration with their secrets taken out.
//!
//! Nothing here understands a format: it goes by names, as a reader would, and rather hides too much. Masking comes after
//! comparing, so that a password which was changed is seen to be changed.

mod line;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

pub(super) use words::is_secret_file;

use line::{End, Line};

/// What stands in place of a secret, whatever its length.
const MASK: &str = "****";

/// How far from the name of a secret its value may stand, as in `- name: PASSWORD` above `value: …`.
const NEAR_LINES: usize = 3;

/// All lines, without line ends, fit to be shown as far as secrets go. Whole files are needed: what a line is depends on
/// those around it.
pub(super) fn mask(lines: &[&str]) -> Vec<String> {
    let kubernetes = lines.iter().any(|line| is_kubernetes_secret(line));
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|line| Line::new(line, kubernetes))
        .collect();
    let mut hidden = Vec::with_capacity(lines.len());
    let mut state = State::default();
    for line in &lines {
        let how = state.judge(line);
        hidden.push(how);
    }
    for i in (0..lines.len()).filter(|&i| lines[i].names_secret()) {
        let near = i.saturating_sub(NEAR_LINES)..lines.len().min(i + NEAR_LINES + 1);
        for j in near {
            if hidden[j] == Hide::Tokens && lines[j].is_value() {
                hidden[j] = Hide::Value;
            }
        }
    }
    let shown = lines.iter().zip(hidden);
    shown.map(|(line, hide)| line.with(hide)).collect()
}

/// `kind: Secret`, in YAML or JSON: its data have harmless names.
fn is_kubernetes_secret(line: &str) -> bool {
    let quotes = |text: &str| text.trim().trim_matches(['"', '\'', ',']).to_owned();
    line.split_once(':')
        .is_some_and(|(key, value)| quotes(key) == "kind" && quotes(value) == "Secret")
}

/// How much of a line is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hide {
    /// What has the form of a token or stands in a URL.
    Tokens,
    /// All behind this byte.
    From(usize),
    /// All behind the first `:` or `=`, or everything if there is none.
    Value,
    /// Everything but the indentation.
    All,
}

/// What earlier lines mean for this one.
#[derive(Debug, Default)]
struct State {
    /// Within a private key in PEM.
    key: bool,
    /// Within the text of a secret, until this comes.
    text: Option<End>,
    /// Below a line that names a secret.
    block: Option<Block>,
    /// Behind `[secrets]`, until the next section.
    section: bool,
    /// The line before was hidden, and ended with a backslash.
    continued: bool,
}

/// What a line that names a secret begins.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Where the name stands; what is indented further belongs to it.
    indent: usize,
    /// There is no value on the line itself. Items of a list belong to it then even where they are not indented further.
    list: bool,
}

impl State {
    fn judge(&mut self, line: &Line<'_>) -> Hide {
        let hide = self.hide(line);
        self.continued = hide != Hide::Tokens && line.text.ends_with('\\');
        hide
    }

    fn hide(&mut self, line: &Line<'_>) -> Hide {
        if self.key {
            self.key = !line.text.contains("-----END ");
            return Hide::All;
        }
        if let Some(begin) = line.private_key() {
            self.key = !line.text[begin..].contains("-----END ");
            return Hide::From(begin);
        }
        if let Some(end) = &self.text {
            if end.is_on(line) {
                self.text = None;
            }
            return Hide::All;
        }
        if self.continued {
            return Hide::All;
        }
        if line.is_blank() {
            return Hide::Tokens;
        }
        if let Some(block) = self.block {
            let item = block.list && line.indent == block.indent && line.is_item();
            if line.indent > block.indent || item {
                return Hide::All;
            }
            self.block = None;
        }
        if line.is_section() {
            self.section = line.names_secret();
            return line.secret.map_or(Hide::Tokens, Hide::From);
        }
        self.text = line.begins_text();
        if line.opens_block() {
            self.block = Some(Block {
                indent: line.key_indent(),
                list: line.secret.is_none(),
            });
        }
        match line.secret {
            Some(begin) => Hide::From(begin),
            None if self.section => Hide::Value,
            None => Hide::Tokens,
        }
    }
}
