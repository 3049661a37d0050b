//! Text that others wrote, made fit to be shown.

/// `text` cut to `chars` characters, with `…` in place of the rest. What a terminal would obey, or what would change the
/// order in which it is read, is written as an escape.
pub(crate) fn shown(text: &str, chars: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars));
    for (i, c) in text.chars().enumerate() {
        if i == chars {
            out.push('…');
            break;
        }
        if c.is_control() || reorders(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The marks of Unicode that turn the direction of writing: "Trojan source", CVE-2021-42574.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bytes as lower-case hexadecimal digits without separators.
pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_no_more_than_asked_for() {
        assert_eq!(shown("abc", 3), "abc");
        assert_eq!(shown("abcd", 3), "abc…");
        assert_eq!(shown("", 0), "");
        assert_eq!(shown("äöü", 2), "äö…");
    }

    #[test]
    fn terminals_get_no_orders() {
        assert_eq!(
            shown("a\u{1b}[31mb\nc\u{202e}", 20),
            r"a\u{1b}[31mb\nc\u{202e}"
        );
    }

    proptest! {
        #[test]
        fn nothing_of_control_is_left(text in any::<String>(), chars in 0usize..40) {
            prop_assert!(!shown(&text, chars).chars().any(|c| c.is_control() || reorders(c)));
        }
    }
}
