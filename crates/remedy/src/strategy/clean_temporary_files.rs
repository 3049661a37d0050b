//! Removes temporary files.

use super::draft::step;
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit, disk};
use crate::Class;
use crate::action::Action;

const DAY_S: f64 = 86_400.0;
/// Most patterns that are believed of one volume.
const MAX_PATTERNS: usize = 8;

/// Removes files that are temporary by their place and old: for disks that fill with what nobody wants to keep.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "clean_temporary_files",
    about: "remove files older than two days under tmp, or where the attribute `temporary` says",
    classes: &[Class::DiskExhaustion],
    // Somebody may have put there what they want back.
    reversibility: Reversibility::Irreversible,
    authority: Authority::Owner,
    cost_min: 2.0,
    duration_s: 60.0,
    prior: [8.0, 2.0],
    harm: 0.02,
    fallbacks: &["remove_rotated_logs", "grow_volume", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    let patterns = patterns(case)?;
    let (effect, fit) = disk::freed(case, "reclaimable_bytes", 0.1)?;
    let because = format!(
        "{} are temporary by their place, and nobody has written to them for days",
        patterns
            .iter()
            .map(|(pattern, _)| pattern.as_str())
            .collect::<Vec<_>>()
            .join(" and ")
    );
    let remove = |(pattern, older_than_s)| {
        let remove = Action::RemoveFiles {
            target: case.entity.clone(),
            pattern,
            older_than_s,
        };
        step(remove, 300.0)
    };
    Ok(Draft {
        steps: patterns.into_iter().map(remove).collect(),
        effect,
        because,
        fit,
        capacity_away: 0.0,
    })
}

/// Globs and ages of what is temporary.
fn patterns(case: &Case) -> Result<Vec<(String, f64)>, Unfit> {
    let mount = disk::mount_point(case)?;
    if let Some(declared) = case.attribute("temporary") {
        let declared: Vec<&str> = declared.split(',').map(str::trim).collect();
        if let Some(bad) = declared
            .iter()
            .find(|pattern| !disk::is_safe_below(pattern))
        {
            return Err(Unfit::because(format!(
                "the pattern {bad:?} in the attribute `temporary` does not stay in a directory below {mount}"
            )));
        }
        if declared.len() > MAX_PATTERNS {
            return Err(Unfit::because(format!(
                "{} patterns are in the attribute `temporary`, at most {MAX_PATTERNS} are believed",
                declared.len()
            )));
        }
        let aged = |pattern: &str| (pattern.to_owned(), 2.0 * DAY_S);
        return Ok(declared.into_iter().map(aged).collect());
    }
    if case.attribute("data") == Some("production") {
        return Err(Unfit::because(format!(
            "{} holds data of production, and nothing says what of it is temporary",
            case.entity
        )));
    }
    // What is under /var/tmp is meant to outlive a reboot.
    let usual: &[(&str, f64)] = match mount {
        "/" => &[("tmp/**", 2.0), ("var/tmp/**", 10.0)],
        "/var" => &[("tmp/**", 10.0)],
        "/tmp" => &[("**", 2.0)],
        "/var/tmp" => &[("**", 10.0)],
        _ => {
            return Err(Unfit::lacks(
                &case.entity,
                "temporary",
                format!("nothing says what on {} is temporary", case.entity),
            ));
        }
    };
    Ok(usual
        .iter()
        .map(|&(pattern, days)| (pattern.to_owned(), days * DAY_S))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::case;

    #[test]
    fn only_what_is_known_to_be_temporary_goes() {
        let patterns = |volume, attributes: &[(&str, &str)]| {
            let mut case = case(volume, Class::DiskExhaustion, 0.97);
            // A label of a series says nothing about what may be removed.
            case.facts.insert("temporary".into(), "data/**".into());
            for (name, value) in attributes {
                case.around
                    .attributes
                    .insert((*name).into(), (*value).into());
            }
            patterns(&case).map(|found| found.into_iter().map(|(glob, _)| glob).collect::<Vec<_>>())
        };
        assert_eq!(
            patterns("volume/a:/", &[]).unwrap(),
            ["tmp/**", "var/tmp/**"]
        );
        assert_eq!(patterns("volume/a:/tmp", &[]).unwrap(), ["**"]);
        assert!(patterns("volume/a:/data", &[]).is_err());
        assert!(patterns("volume/a", &[]).is_err());
        assert!(patterns("volume/a:/", &[("data", "production")]).is_err());
        let declared = [("temporary", "spool/*.part, scratch/**")];
        assert_eq!(
            patterns("volume/a:/data", &declared).unwrap(),
            ["spool/*.part", "scratch/**"]
        );
        assert!(patterns("volume/a:/data", &[("temporary", "scratch/**,../**")]).is_err());
    }

    #[test]
    fn what_frees_nothing_is_not_done() {
        let mut case = case("volume/a:/", Class::DiskExhaustion, 0.97);
        case.facts.insert("limit".into(), "100000000000".into());
        case.facts
            .insert("reclaimable_bytes".into(), "1000000".into());
        assert!(draft(&case).unwrap_err().why.contains("no cure"));
        case.facts
            .insert("reclaimable_bytes".into(), "20000000000".into());
        let drafted = draft(&case).unwrap();
        assert!((drafted.effect.to - 0.77).abs() < 1e-9);
    }
}
