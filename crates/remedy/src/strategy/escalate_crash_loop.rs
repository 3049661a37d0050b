//! Hands a crash loop to people.

use super::capture_diagnostics::evidence;
use super::draft::{capture, notify, stays_up};
use super::restart::{is_loop, is_misconfigured};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::Class;

/// Hands a crash loop to people, with what the process said last: another restart would only be one more.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "escalate_crash_loop",
    about: "keep the last words of what crashes again and again, and tell the owner",
    classes: &[Class::ProcessCrash],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    // A person is called.
    cost_min: 10.0,
    duration_s: 60.0,
    prior: [4.0, 4.0],
    harm: 0.002,
    fallbacks: &["notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    if !is_loop(case) && !is_misconfigured(case) {
        return Err(Unfit::because(format!(
            "{} crashed, but not again and again",
            case.entity
        )));
    }
    let asked = if is_misconfigured(case) {
        "It cannot start with the configuration that it has, and restarting does not change that"
    } else {
        "It crashes again and again, and whoever restarts it already waits longer each time"
    };
    let last_words = evidence(case).map(|what| capture(&case.entity, what));
    Ok(Draft {
        steps: last_words
            .into_iter()
            .chain([notify(case, asked)])
            .collect(),
        effect: stays_up(case),
        because: "a process that does not survive its start is not cured by another".to_owned(),
        fit: if is_misconfigured(case) { 0.6 } else { 0.45 },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn one_crash_is_no_loop() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("instance/api-1", Class::ProcessCrash, 5.0, facts))
        };
        assert!(drafted(&[("restarts", "1")]).is_err());
        assert!(drafted(&[("reason", "CrashLoopBackOff")]).is_ok());
        let steps = drafted(&[("exit_code", "127")]).unwrap().steps;
        assert!(
            steps[1].action.to_string().contains("cannot start"),
            "{}",
            steps[1].action
        );
    }
}
