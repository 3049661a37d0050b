//! A process that eats what the machine has.

use std::process::{Child, Command, Stdio};

/// A running hog; killed when dropped, and it ends by itself when this process does.
pub(crate) struct Hog(Child);

impl Hog {
    pub(crate) fn cpu(threads: u32) -> Self {
        Self::start("cpu", &[threads])
    }

    /// Claims all at once, and then touches some of it.
    pub(crate) fn memory(claimed_mib: u32, touched_mib: u32) -> Self {
        Self::start("memory", &[claimed_mib, touched_mib])
    }

    fn start(what: &str, amounts: &[u32]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hog"));
        command.arg(what).args(amounts.iter().map(u32::to_string));
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
