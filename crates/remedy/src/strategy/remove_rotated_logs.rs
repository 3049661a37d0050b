//! Removes logs that were rotated.

use super::draft::step;
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit, disk};
use crate::Class;
use crate::action::Action;

/// Seconds that rotated logs are kept in any case: a week, to look into what happened last.
const KEEP_S: f64 = 7.0 * 86_400.0;
/// What rotation leaves behind.
const ROTATED: [&str; 2] = ["*.gz", "*.1"];

/// Removes logs that were rotated more than a week ago, where logs are known to be.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "remove_rotated_logs",
    about: "remove logs that were rotated more than a week ago",
    classes: &[Class::DiskExhaustion],
    reversibility: Reversibility::Irreversible,
    authority: Authority::Owner,
    // Somebody may have to answer for what was in them.
    cost_min: 4.0,
    duration_s: 60.0,
    prior: [8.5, 1.5],
    harm: 0.02,
    fallbacks: &["grow_volume", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    let logs = disk::logs(case)?;
    let (effect, fit) = disk::freed(case, "rotated_bytes", 0.08)?;
    let remove = |name| {
        let below = if logs.is_empty() {
            "**".to_owned()
        } else {
            format!("{}/**", logs.trim_end_matches('/'))
        };
        let remove = Action::RemoveFiles {
            target: case.entity.clone(),
            pattern: format!("{below}/{name}"),
            older_than_s: KEEP_S,
        };
        step(remove, 300.0)
    };
    Ok(Draft {
        steps: ROTATED.map(remove).into(),
        effect,
        because: "logs that were rotated more than a week ago are seldom asked for".to_owned(),
        // After what is temporary by its place.
        fit: fit * 0.95,
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn archives_elsewhere_are_left_alone() {
        let drafted = |volume, facts: &[(&str, &str)]| {
            draft(&with(volume, Class::DiskExhaustion, 0.97, facts))
        };
        assert_eq!(
            drafted("volume/a:/", &[]).unwrap().steps[0]
                .action
                .to_string(),
            "remove \"var/log/**/*.gz\" older than 604800 s on volume/a:/"
        );
        assert!(
            drafted("volume/a:/backup", &[])
                .unwrap_err()
                .why
                .contains("logs")
        );
        assert!(drafted("volume/a:/data", &[("logs", "app/log")]).is_ok());
        assert!(drafted("volume/a:/data", &[("logs", "../..")]).is_err());
    }
}
