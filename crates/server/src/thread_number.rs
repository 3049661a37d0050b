//! Numbers for threads, so that each shard can keep to a buffer of its own.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number for this thread, the same at each call.
pub(crate) fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: OnceCell<usize> = const { OnceCell::new() };
    }
    OWN.with(|own| *own.get_or_init(|| NEXT.fetch_add(1, Ordering::Relaxed)))
}
