//! Texts put where they cannot break out. Names come from labels: whoever may name a pod may try to name a command.
//!
//! Two rules. Nothing is written that a terminal would obey or a reader would misread ([`plain`]). And within a command or a
//! query, a text is one word, one name or one value, whatever it holds.

/// What stands for a character that may not be shown.
pub const UNSHOWN: char = '\u{fffd}';

/// Whether a terminal would obey it, or a reader not see it, or read what follows in another order.
#[must_use]
pub fn is_misleading(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text on one line, at most `max_chars` long, with [`UNSHOWN`] for what would mislead.
#[must_use]
pub fn plain(text: &str, max_chars: usize) -> String {
    let shown = |c| if is_misleading(c) { UNSHOWN } else { c };
    let mut short: String = text.chars().take(max_chars).map(shown).collect();
    if text.chars().nth(max_chars).is_some() {
        short.push('…');
    }
    short
}

/// The text as one word of a POSIX shell: as it is when no character in it means anything, else in single quotes.
#[must_use]
pub fn shell(word: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c);
    if !word.is_empty() && word.chars().all(is_safe) {
        return word.to_owned();
    }
    format!("'{}'", plain(word, usize::MAX).replace('\'', r"'\''"))
}

/// Some words as one command. A word that begins with a dash is an option: texts go to the end, see [`command_on`].
#[must_use]
pub fn command(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| shell(word)).collect();
    words.join(" ")
}

/// The same with operands that are none of our own: after `--` if one of them begins with a dash.
#[must_use]
pub fn command_on(words: &[&str], operands: &[&str]) -> String {
    let mut all = words.to_vec();
    if operands.iter().any(|operand| operand.starts_with('-')) {
        all.push("--");
    }
    all.extend(operands);
    command(&all)
}

/// Which SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL and its kin.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

/// A name, each part between dots quoted by itself: `"shop"."orders"`.
#[must_use]
pub fn sql_name(dialect: Dialect, name: &str) -> String {
    let parts: Vec<_> = name
        .split('.')
        .map(|part| sql_part(dialect, part))
        .collect();
    parts.join(".")
}

/// A name without parts, quoted.
#[must_use]
pub fn sql_part(dialect: Dialect, name: &str) -> String {
    let quote = match dialect {
        Dialect::Postgres => '"',
        Dialect::MySql => '`',
    };
    let doubled = plain(name, usize::MAX).replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

/// A value, quoted.
///
/// A backslash may or may not escape, as the server is set. In PostgreSQL `E'…'` says that it does; in MySQL it is doubled,
/// which at worst makes another value of it.
#[must_use]
pub fn sql_text(dialect: Dialect, text: &str) -> String {
    let text = plain(text, usize::MAX);
    let doubled = text.replace('\\', r"\\").replace('\'', "''");
    let escapes = dialect == Dialect::Postgres && text.contains('\\');
    format!("{}'{doubled}'", if escapes { "E" } else { "" })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads commands as a POSIX shell would: bare words of safe characters, single quotes, quotes after a backslash, and
    /// `&&` between two commands. `None` when anything else is met: another operator, an expansion, a quote without end.
    pub(crate) fn read_commands(line: &str) -> Option<Vec<Vec<String>>> {
        let mut commands = vec![Vec::new()];
        let mut word: Option<String> = None;
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            match c {
                ' ' => commands.last_mut()?.extend(word.take()),
                '&' => {
                    let is_and =
                        word.is_none() && rest.next() == Some('&') && rest.next() == Some(' ');
                    commands.push(is_and.then(Vec::new)?);
                }
                '\'' => {
                    let word = word.get_or_insert_default();
                    loop {
                        match rest.next()? {
                            '\'' => break,
                            c => word.push(c),
                        }
                    }
                }
                '\\' => word
                    .get_or_insert_default()
                    .push(rest.next().filter(|&c| c == '\'')?),
                c if c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c) => {
                    word.get_or_insert_default().push(c);
                }
                _ => return None,
            }
        }
        commands.last_mut()?.extend(word);
        Some(commands)
    }

    /// What stands outside of quotes in a query; `None` when a quote does not end.
    pub(crate) fn outside_quotes(sql: &str) -> Option<String> {
        let mut outside = String::new();
        let mut rest = sql.chars().peekable();
        while let Some(c) = rest.next() {
            outside.push(c);
            if !matches!(c, '\'' | '"' | '`') {
                continue;
            }
            let escapes = c == '\'' && outside.ends_with("E'");
            loop {
                match rest.next()? {
                    '\\' if escapes => drop(rest.next()?),
                    inner if inner == c && rest.next_if_eq(&c).is_none() => break,
                    _ => {}
                }
            }
        }
        Some(outside)
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        assert_eq!(
            command(&["systemctl", "restart", "api.service"]),
            "systemctl restart api.service"
        );
        assert_eq!(command(&["a", ""]), "a ''");
        assert_eq!(shell("it's; rm -rf /"), r"'it'\''s; rm -rf /'");
        assert_eq!(command_on(&["rm"], &["-rf"]), "rm -- -rf");
    }

    #[test]
    fn nothing_reaches_the_terminal_or_turns_the_line_round() {
        assert_eq!(
            plain("a\u{1b}[2J\nb\u{202e}c\u{e0041}", 99),
            "a\u{fffd}[2J\u{fffd}b\u{fffd}c\u{fffd}"
        );
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(plain("abc", 3), "abc");
    }

    #[test]
    fn sql_is_quoted_as_its_server_reads_it() {
        let text = r"a'b\";
        assert_eq!(sql_text(Dialect::Postgres, text), r"E'a''b\\'");
        assert_eq!(sql_text(Dialect::MySql, text), r"'a''b\\'");
        assert_eq!(
            sql_name(Dialect::Postgres, r#"shop.or"ders"#),
            r#""shop"."or""ders""#
        );
        assert_eq!(sql_name(Dialect::MySql, "or`ders"), "`or``ders`");
    }

    proptest! {
        #[test]
        fn a_shell_reads_back_the_words_that_were_written(words in prop::collection::vec(".*", 1..6)) {
            let refs: Vec<&str> = words.iter().map(String::as_str).collect();
            let shown: Vec<_> = words.iter().map(|word| plain(word, usize::MAX)).collect();
            prop_assert_eq!(read_commands(&command(&refs)), Some(vec![shown]));
        }

        #[test]
        fn nothing_stands_outside_of_its_quotes(text in r#"(\PC|['"`\\]){0,20}"#) {
            for dialect in [Dialect::Postgres, Dialect::MySql] {
                let name = outside_quotes(&sql_part(dialect, &text)).unwrap();
                prop_assert_eq!(name.len(), 1);
            }
            let value = outside_quotes(&sql_text(Dialect::Postgres, &text)).unwrap();
            prop_assert!(value == "'" || value == "E'", "{}", value);
            prop_assert_eq!(outside_quotes(&sql_text(Dialect::MySql, &text)).unwrap(), "'");
            // However a server of MySQL reads a backslash, the value ends where it is meant to.
            let escaped = format!("E{}", sql_text(Dialect::MySql, &text));
            prop_assert_eq!(outside_quotes(&escaped).unwrap(), "E'");
        }
    }
}
