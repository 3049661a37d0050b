//! What every executor can be asked for.

use std::fmt::Debug;
use std::pin::Pin;

use remedy::action::Action;
use remedy::order::{Answer, Order};
use remedy::plan::Plan;

use crate::{About, Preview, Scene};

/// Something that comes later. Boxed, because executors are chosen by name when the process starts.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries out orders.
///
/// For implementors:
/// - [`Answer::NotSent`] promises that nobody has heard of the order: the planner holds its plan, and may order it again.
/// - [`Answer::Failed`] promises that this call changed nothing. Whoever cannot promise it says [`Answer::InDoubt`]. Of an order
///   that may have been given before, by a process that crashed since, it promises nothing: that is what to ask about first.
/// - An order is given up after its `timeout_s`: an answer comes by then, or soon after.
/// - An order with a lower fence than was seen for its target is refused ([`crate::Fences`]).
/// - Nothing panics, whatever the order holds: names come from labels.
/// - A future that is dropped midway leaves an order that is in doubt; [`Executor::ask`] is there for it.
pub trait Executor: Send + Sync + Debug {
    /// The name in configuration and in plans: one of [`crate::EXECUTORS`].
    fn name(&self) -> &'static str;

    /// Whether it can carry out such an action at all.
    ///
    /// # Errors
    /// Why not, for people.
    fn can(&self, action: &Action) -> Result<(), String>;

    /// Whether it would take an order now. While it would not, the planner holds its plans.
    ///
    /// # Errors
    /// Why not, and until when, for people.
    fn available(&self) -> Result<(), String> {
        Ok(())
    }

    /// From now on no order is handed over, whatever waits for another attempt; `None` ends that. What may have been handed
    /// over is still asked about.
    fn hold(&self, _why: Option<&str>) {}

    /// What carrying out a plan would do, for people.
    fn preview(&self, plan: &Plan, scene: &Scene<'_>) -> Preview {
        Preview::of(plan, scene)
    }

    /// Carries out one order. What surrounds it is told for people and receivers; what is done depends on the order alone.
    fn carry_out<'a>(&'a self, order: &'a Order, about: &'a About) -> Later<'a, Answer>;

    /// What became of an order with this key that may have been given before a crash. Changes nothing.
    ///
    /// `Some(Failed)`: it was not carried out. `None`: nobody can tell.
    fn ask<'a>(&'a self, order: &'a Order) -> Later<'a, Option<Answer>>;
}
