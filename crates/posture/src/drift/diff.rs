//! Two texts line by line, in the unified format of `diff -u`.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices_deadline, group_diff_ops};

use super::Comparison;
use super::mask::mask;
use crate::text::shown;

/// More than anybody reads at once.
pub const MAX_DIFF_LINES: usize = 200;

/// Longer texts are told to differ, and not where.
const MAX_LINES: usize = 20_000;
/// Lines around each change.
const CONTEXT: usize = 3;
const LINE_CHARS: usize = 240;
const PATH_CHARS: usize = 512;
/// After this long the search for the shortest difference gives way to any difference. Two texts of which every line
/// differs take time by the square.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where two texts differ. [`Display`](fmt::Display) joins the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The lines of a unified diff, from the actual text (`---`, `-`) to the declared one (`+++`, `+`): what mending it would
    /// change. Without line ends; at most [`MAX_DIFF_LINES`], of at most 240 characters each. Under
    /// [`Comparison::Normalised`] lines that do not count are left out, and the numbers in `@@` are those of the files
    /// nevertheless.
    pub lines: Vec<String>,
    /// How many more lines there would be.
    pub left_out: usize,
    /// How many lines of either text are not in the other; one that was put in another's place counts once.
    pub lines_changed: usize,
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        match self.left_out {
            0 => Ok(()),
            n => writeln!(f, "… and {n} more lines"),
        }
    }
}

pub(super) enum Outcome {
    /// Nothing that counts.
    None,
    Some(Diff),
    /// Too long to say.
    Long,
}

/// One text: its lines that count, the number of each, counted from 1, and what may be shown of it.
struct Text<'t> {
    lines: Vec<&'t str>,
    numbers: Vec<usize>,
    shown: Vec<String>,
}

impl<'t> Text<'t> {
    /// `None` if it has too many lines.
    fn new(text: &'t str, comparison: Comparison) -> Option<Self> {
        // With their ends, so that the last line's lack of one is a difference.
        let all: Vec<&str> = text.split_inclusive('\n').take(MAX_LINES + 1).collect();
        if all.len() > MAX_LINES {
            return None;
        }
        let masked = mask(&all);
        let mut kept = Self {
            lines: Vec::new(),
            numbers: Vec::new(),
            shown: Vec::new(),
        };
        for (number, (&line, masked)) in (1..).zip(all.iter().zip(masked)) {
            let line = match comparison {
                Comparison::Exact => line,
                Comparison::Normalised => line.trim_end(),
            };
            let counts =
                comparison == Comparison::Exact || !(line.is_empty() || is_comment(number, line));
            if counts {
                kept.lines.push(line);
                kept.numbers.push(number);
                kept.shown.push(masked);
            }
        }
        Some(kept)
    }

    /// `3,7` as it stands in `@@`: where the lines begin, and how many they are.
    fn span(&self, lines: Range<usize>) -> String {
        let begin = match lines.start {
            _ if !lines.is_empty() => self.numbers[lines.start],
            // Before an empty span stands the line after which it would be.
            0 => 0,
            start => self.numbers[start - 1],
        };
        format!("{begin},{}", lines.len())
    }
}

fn is_comment(number: usize, line: &str) -> bool {
    let shebang = number == 1 && line.starts_with("#!");
    line.trim_start().starts_with('#') && !shebang
}

pub(super) fn diff(
    declared: (&Path, &str),
    actual: (&Path, &str),
    comparison: Comparison,
) -> Outcome {
    let texts = Text::new(declared.1, comparison).zip(Text::new(actual.1, comparison));
    let Some((new, old)) = texts else {
        return Outcome::Long;
    };
    if old.lines == new.lines {
        return Outcome::None;
    }
    let until = Instant::now().checked_add(PATIENCE);
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old.lines, &new.lines, until);
    let changed = ops.iter().filter(|op| op.tag() != DiffTag::Equal);
    let lines_changed = changed
        .map(|op| op.old_range().len().max(op.new_range().len()))
        .sum();
    let mut out = Lines::default();
    let name = |path: &Path| shown(&path.to_string_lossy(), PATH_CHARS);
    out.push(|| format!("--- {}", name(actual.0)));
    out.push(|| format!("+++ {}", name(declared.0)));
    for hunk in group_diff_ops(ops, CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            continue;
        };
        let span = |text: &Text<'_>, range: fn(&DiffOp) -> Range<usize>| {
            text.span(range(first).start..range(last).end)
        };
        let (from, to) = (span(&old, DiffOp::old_range), span(&new, DiffOp::new_range));
        out.push(|| format!("@@ -{from} +{to} @@"));
        for op in &hunk {
            if op.tag() == DiffTag::Equal {
                out.lines(' ', &old, op.old_range(), comparison);
            } else {
                out.lines('-', &old, op.old_range(), comparison);
                out.lines('+', &new, op.new_range(), comparison);
            }
        }
    }
    Outcome::Some(Diff {
        lines: out.kept,
        left_out: out.left_out,
        lines_changed,
    })
}

/// The first lines, and the number of the others.
#[derive(Default)]
struct Lines {
    kept: Vec<String>,
    left_out: usize,
}

impl Lines {
    fn push(&mut self, line: impl FnOnce() -> String) {
        if self.kept.len() < MAX_DIFF_LINES {
            self.kept.push(line());
        } else {
            self.left_out += 1;
        }
    }

    fn lines(&mut self, sign: char, text: &Text<'_>, range: Range<usize>, comparison: Comparison) {
        for i in range {
            self.push(|| format!("{sign}{}", shown(&text.shown[i], LINE_CHARS)));
            if comparison == Comparison::Exact && !text.lines[i].ends_with('\n') {
                self.push(|| "\\ No newline at end of file".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(declared: &str, actual: &str, comparison: Comparison) -> Diff {
        match diff(
            (Path::new("declared"), declared),
            (Path::new("actual"), actual),
            comparison,
        ) {
            Outcome::Some(diff) => diff,
            Outcome::None | Outcome::Long => panic!("no difference to show"),
        }
    }

    /// Numbered lines with one of them changed.
    fn numbered(lines: usize, changed: usize) -> String {
        let line = |i| match i == changed {
            true => format!("{i} changed\n"),
            false => format!("{i}\n"),
        };
        (1..=lines).map(line).collect()
    }

    #[test]
    fn looks_like_diff_u() {
        let diff = run(&numbered(12, 0), &numbered(12, 6), Comparison::Exact);
        let expected =
            "--- actual\n+++ declared\n@@ -3,7 +3,7 @@\n 3\n 4\n 5\n-6 changed\n+6\n 7\n 8\n 9\n";
        assert_eq!(diff.to_string(), expected);
        assert_eq!(diff.lines_changed, 1);
        let diff = run("x\n", "", Comparison::Exact);
        let expected = "--- actual\n+++ declared\n@@ -0,0 +1,1 @@\n+x\n";
        assert_eq!(diff.to_string(), expected);
    }

    #[test]
    fn lines_that_changed_are_counted_once() {
        let count = |declared, actual| run(declared, actual, Comparison::Exact).lines_changed;
        assert_eq!(count("a\nb\nc\n", "a\nx\nc\n"), 1);
        assert_eq!(count("a\nb\nc\n", "a\nc\n"), 1);
        assert_eq!(count("a\nb\n", "a\nx\ny\nb\nz\n"), 3);
        assert_eq!(count(&numbered(900, 0), ""), 900);
    }

    #[test]
    fn numbers_are_those_of_the_files_when_lines_do_not_count() {
        let diff = run("# 1\n\n\na = 1\n", "a = 2\n", Comparison::Normalised);
        assert_eq!(diff.lines[2..], ["@@ -1,1 +4,1 @@", "-a = 2", "+a = 1"]);
    }

    #[test]
    fn is_bounded_in_every_direction() {
        let old: String = (0..1000).map(|i| format!("old {i}\n")).collect();
        let new: String = (0..1000).map(|i| format!("new {i}\n")).collect();
        let diff = run(&old, &new, Comparison::Exact);
        assert_eq!(
            (diff.lines.len(), diff.left_out),
            (MAX_DIFF_LINES, 2003 - MAX_DIFF_LINES)
        );
        assert!(diff.to_string().ends_with("… and 1803 more lines\n"));
        let long = "x".repeat(4000);
        let diff = run(&long, "y\u{1b}[2J\r\n", Comparison::Exact);
        let widest = diff.lines.iter().map(|line| line.chars().count()).max();
        assert_eq!(widest, Some(1 + LINE_CHARS + 1));
        assert!(!diff.to_string().contains(['\u{1b}', '\r']));
    }

    #[test]
    fn texts_that_differ_in_every_line_do_not_take_long() {
        let text =
            |word: &str| -> String { (0..MAX_LINES).map(|i| format!("{word} {i}\n")).collect() };
        let began = Instant::now();
        let diff = run(&text("old"), &text("new"), Comparison::Exact);
        assert_eq!(diff.lines.len(), MAX_DIFF_LINES);
        // Ten times the patience: the test machine may be busy.
        assert!(began.elapsed() < PATIENCE * 10, "{:?}", began.elapsed());
        let more = text("old") + "one more\n";
        let outcome = diff_of(&more, "");
        assert!(matches!(outcome, Outcome::Long));
    }

    fn diff_of(old: &str, new: &str) -> Outcome {
        diff(
            (Path::new("a"), old),
            (Path::new("b"), new),
            Comparison::Exact,
        )
    }
}
