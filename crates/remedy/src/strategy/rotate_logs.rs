//! Rotates and compresses logs.

use super::draft::step;
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit, disk};
use crate::Class;
use crate::action::Action;

/// Rotates and compresses logs now: nothing is lost, and text shrinks to a tenth.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "rotate_logs",
    about: "rotate and compress logs now, where logs are known to be",
    classes: &[Class::DiskExhaustion],
    // What was compressed can still be read, and next week's rotation would have done it.
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    cost_min: 0.5,
    duration_s: 60.0,
    prior: [7.5, 2.5],
    // Compressing needs some space first.
    harm: 0.01,
    fallbacks: &[
        "clear_cache",
        "clean_temporary_files",
        "remove_rotated_logs",
        "grow_volume",
        "notify_owner",
    ],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    disk::logs(case)?;
    if case.fact("family") == Some("inodes") {
        return Err(Unfit::because(format!(
            "{} runs out of inodes, and a rotated log is one more file",
            case.entity
        )));
    }
    let (effect, fit) = disk::freed(case, "log_bytes", 0.08)?;
    let rotate = Action::RotateLogs {
        target: case.entity.clone(),
    };
    Ok(Draft {
        steps: vec![step(rotate, 600.0)],
        effect,
        because: "logs shrink to a tenth when they are compressed, and none is lost".to_owned(),
        fit: match &*case.cause {
            // Something writes as never before, and that is most often a log.
            "burst" => fit * 1.15,
            _ => fit,
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn it_needs_logs_and_bytes() {
        let drafted = |volume, facts: &[(&str, &str)]| {
            draft(&with(volume, Class::DiskExhaustion, 0.97, facts))
        };
        assert_eq!(
            drafted("volume/a:/var/log", &[]).unwrap().steps[0]
                .action
                .to_string(),
            "rotate logs volume/a:/var/log"
        );
        assert!(drafted("volume/a:/data", &[]).is_err());
        assert!(
            drafted("volume/a:/", &[("family", "inodes")])
                .unwrap_err()
                .why
                .contains("one more file")
        );
    }
}
