//! Runs the binary, and makes what it reads.

use std::io::Write;
use std::process::{Command, Stdio};

pub(crate) mod made;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) out: String,
    pub(crate) err: String,
    code: Option<i32>,
}

impl Run {
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }

    pub(crate) fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }
}

/// The binary with these arguments, and without what the developer's own environment would tell it.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forestall"));
    for name in [
        "FORESTALL_ACTOR",
        "FORESTALL_ADDR",
        "FORESTALL_DATA",
        "FORESTALL_TOKEN_FILE",
        "FORESTALL_TLS_CA",
    ] {
        command.env_remove(name);
    }
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs to the end with nothing on standard input.
pub(crate) fn forestall(args: &[&str]) -> Run {
    forestall_with(args, "")
}

/// Runs to the end with `input` on standard input.
pub(crate) fn forestall_with(args: &[&str], input: &str) -> Run {
    let mut child = command(args).spawn().expect("the binary is there");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // From a thread of its own: a child that writes before it has read all would wait for ever. One that ends early
    // closes the pipe, which is its right.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it only writes");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Run {
        out: text(output.stdout),
        err: text(output.stderr),
        code: output.status.code(),
    }
}
