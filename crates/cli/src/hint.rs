//! Errors that say what to do next.

use std::fmt;

/// A layer of an error that is advice: `main` prints it on a line of its own, after the causes.
#[derive(Debug)]
pub(crate) struct Hint(pub(crate) String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A layer of an error that says with which code the program ends; without one that is 1.
#[derive(Debug)]
struct Exit(u8);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

/// Adds advice to an error.
pub(crate) trait WithHint {
    /// The same error with advice.
    fn hint(self, advice: impl Into<String>) -> Self;
    /// The same error, with which the program ends with this code.
    fn exit(self, code: u8) -> Self;
}

/// The code that the program ends with.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Exit>().map_or(1, |exit| exit.0)
}

impl WithHint for anyhow::Error {
    fn hint(self, advice: impl Into<String>) -> Self {
        self.context(Hint(advice.into()))
    }

    fn exit(self, code: u8) -> Self {
        self.context(Exit(code))
    }
}

/// The causes on one line, outermost first, then each piece of advice on a line of its own.
pub(crate) fn message(error: &anyhow::Error) -> String {
    let hints: Vec<String> = error
        .downcast_ref::<Hint>()
        .map(ToString::to_string)
        .into_iter()
        .collect();
    let exit = error.downcast_ref::<Exit>().map(ToString::to_string);
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if hints.contains(&cause) || exit.as_ref() == Some(&cause) {
            continue;
        }
        // Some libraries repeat their source in their own message: say it once.
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    hints
        .into_iter()
        .fold(text, |text, hint| format!("{text}\nhint: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_first_advice_last() {
        let io = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = anyhow::Error::new(io)
            .context("opening a.csv")
            .hint("look in b");
        assert_eq!(
            message(&error),
            "opening a.csv: no such file\nhint: look in b"
        );
        assert_eq!(message(&anyhow::anyhow!("plain")), "plain");
        assert_eq!(exit_code(&error), 1);
        let error = error.exit(2);
        assert_eq!(exit_code(&error), 2);
        assert_eq!(
            message(&error),
            "opening a.csv: no such file\nhint: look in b"
        );
    }
}
