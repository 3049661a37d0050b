//! A process that eats what the machine has.

use std::process::{Child, Command, Stdio};

/// A running hog; killed when dropped, and it ends by itself when this process does.
pub(crate) struct Hog(Child);

impl Hog {
    pub(crate) fn cpu(threads: u32) -> Self {
        Self::start("cpu", threads)
    }

    pub(crate) fn memory(mib: u32) -> Self {
        Self::start("memory", mib)
    }

    fn start(what: &str, amount: u32) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hog"));
        command.args([what, &amount.to_string()]);
        Self(command.stdin(Stdio::piped()).spawn().unwrap())
    }

    /// As it stands in the label.
    pub(crate) fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        // Both fail when it has ended, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
