//! Where what the shards find goes.

use features::N_COLUMNS;
use predict::Risk;

/// Takes what the shards find.
pub trait Sink: Send + Sync + 'static {
    /// Called on a shard's thread, once per part of a batch, in the order of each series' samples. It must not block
    /// for long, and must not call [`crate::Engine::submit`], [`crate::Engine::snapshot`] or [`crate::Engine::restore`]: its shard would
    /// wait for itself.
    fn risks(&self, scored: &Scored<'_>);

    /// Whether [`Scored::columns`] is wanted; asked once per part of a batch. Copying them costs 60 bytes a sample.
    fn wants_columns(&self) -> bool {
        false
    }
}

/// Samples that were scored together.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// One risk per sample that says something.
    pub risks: &'a [Risk],
    /// Each member's score, row-major; shape `(risks, members)`.
    pub members: &'a [f32],
    /// The feature columns of each risk, in the order of [`features::SCHEMA`]; shape `(risks,)`, or empty when
    /// [`Sink::wants_columns`] says no.
    pub columns: &'a [[f32; N_COLUMNS]],
}
