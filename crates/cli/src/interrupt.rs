//! Ctrl-C during long work: the first ends it in order, the second at once.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context;

/// Whether somebody pressed Ctrl-C.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. Without a listener, Ctrl-C ends the process as ever.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let pressed = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&pressed);
        let listening = move || {
            let waiting = crate::runtime::block_on(async move {
                tokio::signal::ctrl_c().await?;
                told.store(true, Ordering::Relaxed);
                tokio::signal::ctrl_c().await?;
                Ok(())
            });
            if waiting.is_ok() {
                // 128 + SIGINT, as shells report it.
                std::process::exit(130);
            }
        };
        thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(listening)
            .context("starting a thread that listens for Ctrl-C")?;
        Ok(Self(pressed))
    }

    /// Break once it was pressed.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
