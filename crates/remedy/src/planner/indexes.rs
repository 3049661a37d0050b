//! Live issues by what they are about, by what would explain them, and by the service of their instance.

use std::collections::{BTreeSet, HashMap};

use super::Planner;
use crate::issue::IssueId;
use crate::{EntityId, Kind, Surroundings};

/// The service by which the issue of an instance is found by its siblings.
fn sibling_of<'a>(entity: &EntityId, around: &'a Surroundings) -> Option<&'a EntityId> {
    let service = around.service.as_ref();
    service.filter(|_| entity.kind() == Kind::Instance)
}

impl Planner {
    /// Puts a live issue into the indexes.
    pub(super) fn enlist(&mut self, id: IssueId) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        for cause in &live.causes {
            self.by_cause.entry(cause.clone()).or_default().insert(id);
        }
        let entity = live.issue.entity.clone();
        self.by_entity.entry(entity).or_default().insert(id);
        if let Some(service) = sibling_of(&live.issue.entity, &live.around) {
            self.by_service
                .entry(service.clone())
                .or_default()
                .insert(id);
        }
    }

    /// Takes it out of them.
    pub(super) fn unlist(&mut self, id: IssueId) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        for cause in &live.causes {
            forget(&mut self.by_cause, cause, id);
        }
        forget(&mut self.by_entity, &live.issue.entity, id);
        if let Some(service) = sibling_of(&live.issue.entity, &live.around) {
            forget(&mut self.by_service, service, id);
        }
    }
}

/// Takes an issue out of an index.
fn forget(index: &mut HashMap<EntityId, BTreeSet<IssueId>>, entity: &EntityId, id: IssueId) {
    if let Some(ids) = index.get_mut(entity) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(entity);
        }
    }
}
