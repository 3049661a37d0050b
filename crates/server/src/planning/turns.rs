//! Requests that are being answered, by the id that their callers gave them.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// The ids that are taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashSet<String>>>);

/// One id, taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    id: String,
}

impl Turns {
    /// Takes an id; `None` while somebody else has it.
    pub(crate) fn take(&self, id: &str) -> Option<Turn> {
        let is_free = self.0.lock().insert(id.to_owned());
        is_free.then(|| Turn {
            turns: self.clone(),
            id: id.to_owned(),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.lock().remove(&self.id);
    }
}
