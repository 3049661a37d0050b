//! How many tests ran, read off what the test runners print.

/// Tests that passed and that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// What a line of output says about tests: the closing line of `cargo test` for one binary, or of `cargo nextest` for
/// all; nothing for other lines. Colours are let be.
pub(crate) fn in_line(line: &str) -> Count {
    let plain = without_colour(line);
    let line = plain.trim_start();
    if !line.starts_with("test result: ") && !line.starts_with("Summary [") {
        return Count::default();
    }
    let mut count = Count::default();
    let words: Vec<_> = line
        .split([' ', ',', ';', '(', ')'])
        .filter(|word| !word.is_empty())
        .collect();
    for pair in words.windows(2) {
        let Ok(n) = pair[0].parse() else { continue };
        match pair[1] {
            "passed" => count.passed = n,
            // A test that hangs or crashes the runner has failed too.
            "failed" | "timed" | "exec" => count.failed += n,
            _ => {}
        }
    }
    count
}

fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut in_escape = false;
    for c in line.chars() {
        match c {
            '\u{1b}' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, passed: u64, failed: u64) {
        assert_eq!(in_line(line), Count { passed, failed }, "{line}");
    }

    #[test]
    fn reads_both_runners() {
        check(
            "test result: ok. 11 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.06s",
            11,
            0,
        );
        check(
            "test result: FAILED. 8 passed; 3 failed; 0 ignored; 0 measured",
            8,
            3,
        );
        check(
            "     Summary [   0.166s] 26 tests run: 26 passed, 0 skipped",
            26,
            0,
        );
        check(
            "     Summary [   1.2s] 26 tests run: 20 passed (1 slow), 4 failed, 2 timed out, 0 skipped",
            20,
            6,
        );
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m",
            2,
            0,
        );
        check("test reads_both_runners ... ok", 0, 0);
        check("3 passed the point", 0, 0);
    }
}
