//! Texts of others on a terminal. Names, notes and reasons come from labels and from people: they must neither speak to the
//! terminal nor make a reader see another text than there is.

use serde_json::Value;

/// What stands for a character that may not be shown.
const UNSHOWN: char = '\u{fffd}';

/// Whether a terminal would obey it, or a reader not see it, or read what follows in another order.
fn is_misleading(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text on one line: ends of lines and tabs are blanks, whatever else would mislead is replaced.
pub(crate) fn line(text: &str) -> String {
    let shown = |c| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_misleading(c) => UNSHOWN,
        c => c,
    };
    text.chars().map(shown).collect()
}

/// The text with its lines as they are.
pub(crate) fn lines(text: &str) -> String {
    let all: Vec<String> = text.split('\n').map(line).collect();
    all.join("\n")
}

/// The text on one line, at most `most` characters of it.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let text = line(text);
    if text.chars().count() <= most {
        return text;
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// JSON on one line. What would mislead is escaped, which means the same to whoever parses it.
pub(crate) fn json(value: &Value) -> String {
    escaped(&value.to_string())
}

/// A text that is JSON, with its misleading characters escaped: they can only stand within strings.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_misleading(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Lines of at most `width` characters, broken at blanks, though not within a command between backquotes; what is longer is
/// broken where the line ends.
pub(crate) fn fold(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for piece in pieces(&self::line(text), width) {
        let mut rest: Vec<char> = piece.chars().collect();
        if used > 0 && used + 1 + rest.len() <= width {
            line.push(' ');
            used += 1;
        } else if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while used + rest.len() > width {
            lines.push(rest.drain(..width).collect());
        }
        used += rest.len();
        line.extend(rest);
    }
    if used > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The words of a text; what stands between backquotes is one, if it has room.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::<String>::new();
    let mut open = None;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        pieces.push(word.to_owned());
        if word.matches('`').count() % 2 == 0 {
            continue;
        }
        let Some(first) = open.take() else {
            open = Some(pieces.len() - 1);
            continue;
        };
        let joined = pieces[first..].join(" ");
        if joined.chars().count() <= width {
            pieces.truncate(first);
            pieces.push(joined);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_speaks_to_the_terminal() {
        let hostile = "a\u{1b}[2J\u{9b}31m\rb\u{202e}c\u{200b}d\ne\tf";
        assert_eq!(
            line(hostile),
            "a\u{fffd}[2J\u{fffd}31m b\u{fffd}c\u{fffd}d e f"
        );
        assert_eq!(lines("a\u{1b}\nb"), "a\u{fffd}\nb");
        assert_eq!(
            (cut("abcdef", 4).as_str(), cut("abc", 3).as_str()),
            ("abc…", "abc")
        );
    }

    #[test]
    fn json_means_the_same_and_is_harmless() {
        let value = Value::from("a\u{1b}\u{9b}\u{202e}\u{e0041}é");
        let text = json(&value);
        assert_eq!(text, r#""a\u001b\u009b\u202e\udb40\udc41é""#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn lines_end_at_blanks_and_long_words_are_broken() {
        assert_eq!(fold("one two three", 7), ["one two", "three"]);
        assert_eq!(fold("a abcdefgh b", 4), ["a", "abcd", "efgh", "b"]);
        assert_eq!(fold("abcd", 4), ["abcd"]);
        assert_eq!(fold("", 4), [""]);
        assert_eq!(fold("a\nb", 9), ["a b"]);
        assert_eq!(fold("see `a b c`: x", 9), ["see", "`a b c`:", "x"]);
        assert_eq!(fold("see `a b c d", 9), ["see `a b", "c d"]);
        assert_eq!(fold("see `a b c` x", 5), ["see", "`a b", "c` x"]);
    }
}
