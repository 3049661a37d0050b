//! An executor that carries nothing out, and says what it would do.

use std::collections::VecDeque;

use parking_lot::Mutex;
use remedy::action::Action;
use remedy::order::{Answer, Order};

use crate::check::check;
use crate::preview::{Language, Manual, what};
use crate::{About, Executor, Fences, Later};

/// Its name in configuration and in plans.
pub const NAME: &str = "dry_run";
/// How many orders it remembers.
const N_REMEMBERED: usize = 1_024;

/// Carries nothing out.
#[derive(Debug, Default)]
pub struct DryRun {
    fences: Fences,
    /// The newest orders: their keys and what was said. At most [`N_REMEMBERED`].
    remembered: Mutex<VecDeque<(String, String)>>,
}

impl DryRun {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn answer(&self, order: &Order, about: &About) -> Answer {
        if let Err(error) = check(order) {
            return Answer::Failed {
                said: error.to_string(),
            };
        }
        let mut remembered = self.remembered.lock();
        let seen = remembered.iter().find(|(key, _)| *key == order.key);
        if let Some((_, said)) = seen {
            return Answer::Done { said: said.clone() };
        }
        if let Err(error) = self.fences.admit(order.action.target(), order.fence) {
            return Answer::Failed {
                said: error.to_string(),
            };
        }
        let said = would(order, about);
        if remembered.len() >= N_REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back((order.key.clone(), said.clone()));
        Answer::Done { said }
    }
}

/// What would be done: `would scale service/api from 3 to 5: kubectl …`.
fn would(order: &Order, about: &About) -> String {
    let target = order.action.target();
    let own = about
        .summary
        .as_ref()
        .map_or(target, |summary| &summary.entity);
    let manual = Manual::of(&order.action, own, &about.attributes);
    if manual.language == Language::Words {
        return format!("would {}", manual.text);
    }
    let mut what = what(&order.action);
    // A sentence made part of another.
    if let Some(first) = what.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    format!("would {}: {}", what.trim_end_matches('.'), manual.text)
}

impl Executor for DryRun {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can(&self, _: &Action) -> Result<(), String> {
        Ok(())
    }

    fn carry_out<'a>(&'a self, order: &'a Order, about: &'a About) -> Later<'a, Answer> {
        Box::pin(async move { self.answer(order, about) })
    }

    /// Always knows: what it has not seen, or has forgotten, was not carried out, as nothing is.
    fn ask<'a>(&'a self, order: &'a Order) -> Later<'a, Option<Answer>> {
        let remembered = self.remembered.lock();
        let seen = remembered.iter().find(|(key, _)| *key == order.key);
        let answer = match seen {
            Some((_, said)) => Answer::Done { said: said.clone() },
            None => Answer::Failed {
                said: format!(
                    "a dry run carries nothing out, and remembers no order {:?}",
                    order.key
                ),
            },
        };
        Box::pin(async move { Some(answer) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[tokio::test]
    async fn it_says_what_it_would_do_and_remembers_that() {
        let executor = DryRun::new();
        let order = samples::order(samples::restart("service/api"));
        let plan = samples::plan("service/api", Vec::new());
        let known = [("manager".to_owned(), "systemd".to_owned())].into();
        let answer = executor.carry_out(&order, &About::of(&plan, &known)).await;
        let said = "would restart service/api: systemctl restart api.service";
        assert_eq!(answer, Answer::Done { said: said.into() });
        assert_eq!(executor.ask(&order).await, Some(answer.clone()));
        // The same order again is the same answer, whatever is known by now.
        assert_eq!(executor.carry_out(&order, &About::default()).await, answer);
    }

    #[tokio::test]
    async fn what_it_has_not_seen_was_not_carried_out() {
        let order = samples::order(samples::restart("service/api"));
        let answer = DryRun::new().ask(&order).await;
        assert!(matches!(answer, Some(Answer::Failed { .. })));
    }

    #[tokio::test]
    async fn a_lost_lease_and_a_bad_key_are_refused_and_memory_is_bounded() {
        let executor = DryRun::new();
        let mut order = samples::order(samples::restart("service/api"));
        for i in 0..2 * N_REMEMBERED {
            order.key = format!("p{i}-0-do");
            executor.carry_out(&order, &About::default()).await;
        }
        assert_eq!(executor.remembered.lock().len(), N_REMEMBERED);
        (order.fence, order.key) = (2, "p9999-0-do".into());
        let answer = executor.carry_out(&order, &About::default()).await;
        assert!(answer.said().contains("lease is lost"), "{answer:?}");
        order.key.push('.');
        let answer = executor.carry_out(&order, &About::default()).await;
        assert!(matches!(answer, Answer::Failed { .. }));
    }
}
