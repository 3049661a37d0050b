//! Which series are replicas of one thing.

use std::collections::HashMap;

use series::SeriesKey;

/// Gives series that differ only in their replica labels the same number.
#[derive(Debug)]
pub struct Groups {
    replica_labels: Vec<String>,
    numbers: HashMap<SeriesKey, u32>,
}

impl Groups {
    /// With the labels that tell replicas apart.
    #[must_use]
    pub fn new(replica_labels: &[String]) -> Self {
        Self {
            replica_labels: replica_labels.to_vec(),
            numbers: HashMap::new(),
        }
    }

    /// The group of a series; `None` when it carries no replica label and so cannot have peers.
    pub fn of(&mut self, key: &SeriesKey) -> Option<u32> {
        let is_replica_label = |name: &str| self.replica_labels.iter().any(|label| label == name);
        if !key.labels().any(|(name, _)| is_replica_label(name)) {
            return None;
        }
        let next = self.numbers.len() as u32;
        Some(
            *self
                .numbers
                .entry(key.without(is_replica_label))
                .or_insert(next),
        )
    }
}
