//! What drafts are made of.

mod checks;
mod foretold;
mod raise;
mod steps;
mod words;

pub(super) use checks::{
    dependency, identifier, is_oom, may_change_in_place, may_restart, one_of, only, package_word,
    reader, room_without_one,
};
pub(super) use foretold::{by_cause, calm, effect, finding_gone, fresh, gone, stays_up};
pub(super) use raise::raise;
#[cfg(test)]
pub(super) use steps::inverse;
pub(super) use steps::{capture, notify, reload_when_undone, step, while_drained};
pub(super) use words::{amount, others_do, plain, restart_helps};
