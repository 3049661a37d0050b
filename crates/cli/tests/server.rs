//! The commands that talk to a server, against a real one on a free port.

mod run;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use run::{command, forestall, made};

/// A server that is stopped when the test is over, however it ends.
struct Served {
    child: Child,
    addr: String,
}

impl Served {
    fn start(more: &[&str]) -> Self {
        let args = [&["serve", "--no-host", "--listen", "127.0.0.1:0"], more].concat();
        let mut child = command(&args).spawn().expect("the binary is there");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut first = String::new();
        out.read_line(&mut first).expect("a line");
        let addr = first
            .trim()
            .rsplit(' ')
            .next()
            .expect("an address")
            .to_owned();
        assert!(addr.starts_with("http://127.0.0.1:"), "{first:?}");
        let mut rest = String::new();
        while !rest.contains("Ctrl-C stops.") {
            assert_ne!(out.read_line(&mut rest).expect("text"), 0, "{rest}");
        }
        assert!(
            rest.contains(&format!("forestall watch --addr {addr}")),
            "{rest}"
        );
        Self { child, addr }
    }

    /// Runs a command against it and returns what it prints.
    fn ask(&self, args: &[&str]) -> String {
        forestall(&[args, &["--addr", &self.addr]].concat())
            .succeeds()
            .out
    }

    fn push(&self, file: &str) -> String {
        forestall(&["replay", file, "--into", &self.addr])
            .succeeds()
            .out
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    }

    /// As Ctrl-C does.
    fn stop(mut self) {
        self.signal("-INT");
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Both fail when it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_fault_is_pushed_while_it_grows() {
    let served = Served::start(&["--no-state"]);
    let args = [
        "rig",
        "descriptors",
        "--limit",
        "128",
        "--for",
        "4s",
        "--into",
        &served.addr,
    ];
    let pushed = forestall(&args).succeeds().out;
    assert!(pushed.contains("descriptors ran out"), "{pushed}");
    let taken = pushed.lines().last().unwrap_or_default();
    assert!(taken.starts_with("  pushed "), "{pushed}");
    let filter = "process_open_fds{instance=~\"rig-descriptors-.*\"}";
    let series = served.ask(&["series", "--filter", filter]);
    assert!(series.contains("process_open_fds"), "{series}");
}

#[test]
fn a_recording_pushed_in_can_be_listed_asked_for_and_watched() {
    let dir = tempfile::tempdir().unwrap();
    let file = made::wave(dir.path(), "wave.csv", 700, 650);
    let served = Served::start(&["--no-state"]);
    let pushed = served.push(&file);
    assert!(pushed.contains("701 samples pushed"), "{pushed}");
    assert!(
        pushed.contains("taken    700\n  refused  1: same time as the last sample"),
        "{pushed}"
    );

    let listed = served.ask(&["series"]);
    assert!(
        listed.contains("value   2024-05-01 11:39:00\n1 series"),
        "{listed}"
    );
    let risks = served.ask(&["risks", "--filter", "value"]);
    assert!(risks.contains("1 of 1 series that match"), "{risks}");
    let json: serde_json::Value = serde_json::from_str(&served.ask(&["risks", "--json"])).unwrap();
    assert_eq!(
        (&json["series"], &json["time_us"]),
        (&"value".into(), &1_714_563_540_000_000_i64.into())
    );
    let frame = served.ask(&["watch", "--once", "--size", "120x10"]);
    assert!(
        frame.contains("1 series") && frame.contains("1 refused") && frame.contains("▁"),
        "{frame}"
    );
    assert!(
        served
            .ask(&["watch", "--once", "--filter", "other"])
            .contains("No series match yet")
    );

    let refused = forestall(&["risks", "--filter", "a{", "--addr", &served.addr]).fails(1);
    assert!(
        refused
            .err
            .starts_with("error: the server answers INVALID_ARGUMENT: filter"),
        "{}",
        refused.err
    );
    served.stop();
}

#[test]
fn what_runs_out_is_listed_drawn_and_watched() {
    let dir = tempfile::tempdir().unwrap();
    let file = made::leak(dir.path(), "leak.csv");
    let config = dir.path().join("forestall.toml");
    // One shard, so that what is pushed together is seen together; and looks that nobody has to wait for.
    fs::write(&config, "ingest.shards = 1\n[outlook]\nrefresh_s = 0.1\n").unwrap();
    let served = Served::start(&["--no-state", "--config", config.to_str().unwrap()]);
    served.push(&file);
    let leaking = "container_memory_working_set_bytes{pod=\"api\"}";

    let began = Instant::now();
    let soon = ["outlook", "--min-probability", "0.5", "--json"];
    let told = loop {
        let told = served.ask(&soon);
        if !told.is_empty() {
            break told;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "nothing is foretold"
        );
    };
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["resource"], &told["family"]),
        (&leaking.into(), &"memory".into())
    );
    assert!(told["time_to_exhaustion"]["p50_s"].as_f64().unwrap() < 3_600.0);

    let table = served.ask(&["outlook"]);
    assert!(
        table.contains(leaking) && table.contains(" of 1 GiB"),
        "{table}"
    );
    assert!(
        table.ends_with("1 more without a known limit: `forestall outlook --missing`\n"),
        "{table}"
    );
    let missing = served.ask(&["outlook", "--missing", "--family", "memory"]);
    assert!(
        missing.contains("container_spec_memory_limit_bytes"),
        "{missing}"
    );
    assert!(
        missing.contains("1 of 1 resources without a known limit"),
        "{missing}"
    );
    let page = dir.path().join("out.html");
    let full = served.ask(&["outlook", leaking, "--plot", page.to_str().unwrap()]);
    assert!(
        full.contains("  runs out   in ") && full.contains("  what to do restart"),
        "{full}"
    );
    assert!(fs::read_to_string(page).unwrap().contains("class=dot"));
    let frame = served.ask(&["watch", "--once", "--size", "190x40"]);
    assert!(
        frame.contains("\nruns out ") && frame.contains(leaking),
        "{frame}"
    );

    let unknown = forestall(&["outlook", "nobody", "--addr", &served.addr]).fails(1);
    assert!(unknown.err.contains("NOT_FOUND"), "{}", unknown.err);
    served.stop();
}

#[test]
fn without_a_terminal_a_hangup_ends_nothing() {
    let served = Served::start(&["--no-state"]);
    served.signal("-HUP");
    assert!(served.ask(&["series"]).contains("0 series"));
    served.stop();
}

#[test]
fn files_pushed_together_stay_apart() {
    let dir = tempfile::tempdir().unwrap();
    let files = ["a.csv", "b.csv"].map(|name| made::wave(dir.path(), name, 50, 45));
    let served = Served::start(&["--no-state"]);
    forestall(&[
        "replay",
        &files[0],
        &files[1],
        "--into",
        &served.addr,
        "--speed",
        "1e9",
    ])
    .succeeds();
    let listed = served.ask(&["series"]);
    assert!(
        listed.contains("value{file=\"a.csv\"}") && listed.contains("value{file=\"b.csv\"}"),
        "{listed}"
    );
}

#[test]
fn feedback_is_stored_and_outlives_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let file = made::wave(dir.path(), "wave.csv", 50, 45);
    let state = dir.path().join("state");
    let args = ["--state-dir", state.to_str().unwrap()];
    let served = Served::start(&args);
    served.push(&file);
    assert_eq!(served.ask(&["feedback", "list"]), "no feedback yet\n");
    let at = [
        "--at",
        "2024-05-01T00:45:00Z",
        "--note",
        "the nightly\nbackup",
    ];
    let stored = served.ask(&[&["feedback", "dismiss", "value"], &at[..]].concat());
    assert!(stored.starts_with("stored as "), "{stored}");
    served.stop();

    let served = Served::start(&args);
    let list = served.ask(&["feedback", "list"]);
    assert!(
        list.contains("dismissed  2024-05-01 00:45:00  value   the nightly backup"),
        "{list}"
    );
    served.stop();
}

#[test]
fn what_was_captured_survives_a_kill_with_its_marks() {
    let dir = tempfile::tempdir().unwrap();
    let file = made::wave(dir.path(), "wave.csv", 50, 45);
    let captured = dir.path().join("captured");
    let args = ["--no-state", "--capture", captured.to_str().unwrap()];
    let served = Served::start(&args);
    let refused = forestall(
        &["serve", "--no-host", "--listen", "127.0.0.1:0"]
            .into_iter()
            .chain(args)
            .collect::<Vec<_>>(),
    )
    .fails(1);
    assert!(
        refused
            .err
            .contains("in use by another engine\nhint: name another directory with --capture DIR"),
        "{}",
        refused.err
    );
    served.push(&file);
    let mark = [
        "capture",
        "mark",
        "--selector",
        "value",
        "--from",
        "2024-05-01T00:10:00Z",
    ];
    let made = served.ask(
        &[
            &mark[..],
            &["--kind", "fault", "--for", "10m", "--note", "by hand"],
        ]
        .concat(),
    );
    assert_eq!(
        made,
        "mark 1: fault, value from 2024-05-01 00:10:00 to 2024-05-01 00:20:00 (UTC)\n"
    );
    let made = served.ask(&[&mark[..], &["--kind", "mitigated"]].concat());
    assert!(
        made.ends_with("end it with: forestall capture end 2\n"),
        "{made}"
    );
    served.ask(&["capture", "end", "2", "--at", "2024-05-01T00:15:00Z"]);
    let marks = served.ask(&["capture", "marks"]);
    assert!(
        marks.contains("mitigated  2024-05-01 00:10:00  2024-05-01 00:15:00  value")
            && marks.contains("00:20:00  value   by hand"),
        "{marks}"
    );
    // Each look takes a while; the journal is written within a second or so.
    let is_written = |_: &u32| served.ask(&["capture", "status"]).contains("50 written");
    assert!((0..2_000).find(is_written).is_some());
    drop(served);

    let served = Served::start(&args);
    let status = served.ask(&["capture", "status"]);
    assert!(
        status.contains("recovered  1 journal") && status.contains("marks      0 open"),
        "{status}"
    );
    served.stop();
    let all = series::Timestamp::from_micros(0)..series::Timestamp::from_micros(i64::MAX);
    let mut reader = server::capture::reader(&captured, all).unwrap();
    let mut rows = store::capture::Rows::default();
    let (mut n, mut n_normal) = (0, 0);
    while reader.next(&mut rows).unwrap() {
        n += rows.len();
        n_normal += (0..rows.len()).filter(|&i| rows.use_as_normal(i)).count();
    }
    assert_eq!((n, n_normal), (50, 40));
}

#[test]
fn what_goes_wrong_comes_with_advice() {
    let served = Served::start(&["--no-state"]);
    let addr = served.addr.trim_start_matches("http://").to_owned();
    let second = forestall(&["serve", "--no-host", "--no-state", "--listen", &addr]).fails(1);
    assert!(
        second.err.contains("Address already in use")
            && second.err.contains("hint: is a server running already?")
    );
    let unknown = forestall(&["feedback", "confirm", "value", "--addr", &addr]).fails(1);
    assert!(
        unknown.err.contains("the server answers NOT_FOUND"),
        "{}",
        unknown.err
    );
    served.stop();
    let gone = forestall(&["risks", "--addr", &addr]).fails(1);
    assert!(
        gone.err
            .contains(&format!("cannot reach the server at http://{addr}")),
        "{}",
        gone.err
    );
    assert!(
        gone.err.contains("hint: start one with `forestall serve`"),
        "{}",
        gone.err
    );
}
