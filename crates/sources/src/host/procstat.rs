//! The text of `/proc/<pid>/stat` and `/proc/<pid>/limits`.

/// The columns of a `stat` that we use.
pub(super) struct Stat<'a> {
    pub(super) comm: std::borrow::Cow<'a, str>,
    pub(super) spent: u64,
    pub(super) threads: u64,
    pub(super) started: u64,
    pub(super) space_bytes: u64,
    pub(super) rss_pages: u64,
}

/// Reads the columns of proc_pid_stat(5) that we use. The name stands in brackets and may hold brackets itself.
///
/// `None` for a process that has ended and waits for its parent to notice: it uses nothing any more, and a fall to 0
/// would be taken for news of it.
pub(super) fn parse_stat(text: &[u8]) -> Option<Stat<'_>> {
    let open = text.iter().position(|&b| b == b'(')?;
    let close = text
        .iter()
        .rposition(|&b| b == b')')
        .filter(|close| *close > open)?;
    let mut comm = &text[open + 1..close];
    // A kernel worker carries the name of its present task behind its own.
    if comm.starts_with(b"kworker/") {
        let end = comm
            .iter()
            .position(|b| matches!(b, b'-' | b'+'))
            .unwrap_or(comm.len());
        comm = &comm[..end];
    }
    // From the third column on: state, ppid, … utime is the 14th.
    let mut columns = std::str::from_utf8(&text[close + 1..])
        .ok()?
        .split_ascii_whitespace();
    let state = columns.next()?;
    let user: u64 = columns.nth(10)?.parse().ok()?;
    let system: u64 = columns.next()?.parse().ok()?;
    let threads = columns.nth(4)?.parse().ok()?;
    // One whose first thread alone has ended looks the same, but for its other threads.
    if matches!(state, "Z" | "X") && threads <= 1_u64 {
        return None;
    }
    let started = columns.nth(1)?.parse().ok()?;
    let space_bytes = columns.next()?.parse().ok()?;
    let rss_pages = columns.next()?.parse().ok()?;
    let spent = user.saturating_add(system);
    Some(Stat {
        comm: String::from_utf8_lossy(comm),
        spent,
        threads,
        started,
        space_bytes,
        rss_pages,
    })
}

/// The soft limits on open files and on address space; `None` where there is none.
pub(super) fn limits(text: &[u8]) -> [Option<u64>; 2] {
    let text = String::from_utf8_lossy(text);
    ["Max open files", "Max address space"].map(|name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_read_and_nonsense_is_not() {
        let tail = " S 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 2 0 77 1000 9";
        let read = |name: &str| {
            parse_stat(format!("1 ({name}){tail}").as_bytes()).map(|s| s.comm.into_owned())
        };
        assert_eq!(read("a) S (b").as_deref(), Some("a) S (b"));
        assert_eq!(read("kworker/0:1-events").as_deref(), Some("kworker/0:1"));
        let full = format!("1 (x){tail}");
        let parsed = parse_stat(full.as_bytes()).unwrap();
        assert_eq!(
            (
                parsed.spent,
                parsed.threads,
                parsed.started,
                parsed.rss_pages
            ),
            (11, 2, 77, 9)
        );
        for cut in 0..full.len() {
            let _ = parse_stat(&full.as_bytes()[..cut]);
        }
        assert!(parse_stat(b")(").is_none());
    }

    #[test]
    fn one_that_has_ended_is_gone_while_its_parent_looks_away() {
        let is_there = |state: char, threads: u32| {
            let text =
                format!("1 (x) {state} 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 {threads} 0 77 1000 0");
            parse_stat(text.as_bytes()).is_some()
        };
        assert!(is_there('D', 1) && !is_there('Z', 1) && !is_there('X', 1));
        assert!(is_there('Z', 3), "its other threads go on");
    }
}
