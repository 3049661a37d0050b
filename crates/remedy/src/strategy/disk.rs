//! What the strategies that free a disk have in common.

use super::{Case, Effect, Unfit, draft};
use crate::Kind;

/// The mount point of the volume.
pub(super) fn mount_point(case: &Case) -> Result<&str, Unfit> {
    draft::only(case, &[Kind::Volume])?;
    let name = case.entity.name();
    let mount = name.split_once(':').map(|(_, mount)| mount);
    mount
        .filter(|mount| mount.starts_with('/'))
        .ok_or_else(|| Unfit::because(format!("the mount point of {} is not known", case.entity)))
}

/// Where logs are below the mount point: what the attribute says, or where they usually are. Empty: all of it.
///
/// # Errors
/// When it is not known. There is no default for other mount points: `*.gz` there may be somebody's only backup.
pub(super) fn logs(case: &Case) -> Result<&str, Unfit> {
    let mount = mount_point(case)?;
    if let Some(logs) = case.attribute("logs") {
        let is_safe = is_safe_below(logs) && !logs.contains(['*', '?', '[', '{']);
        return is_safe
            .then_some(logs)
            .ok_or_else(|| Unfit::because(format!("{logs:?} is no directory below {mount}")));
    }
    match mount {
        "/" => Ok("var/log"),
        "/var" => Ok("log"),
        "/var/log" => Ok(""),
        _ => Err(Unfit::lacks(
            &case.entity,
            "logs",
            format!("nothing says where on {} logs are", case.entity),
        )),
    }
}

/// Whether a pattern stays in one named directory below the mount point, whatever wrote it: relative, no way up, no
/// wildcard for the first directory.
pub(super) fn is_safe_below(pattern: &str) -> bool {
    let mut parts = pattern.split('/');
    let first = parts.next().unwrap_or_default();
    pattern.len() <= 256
        && !first.is_empty()
        && !first.contains(['*', '?', '[', '{', '~', '$'])
        && !pattern.contains('\\')
        && !pattern.contains(char::is_control)
        && pattern.split('/').all(|part| part != ".." && part != ".")
}

/// What freeing brings, and how sure that is: as many bytes as the fact `known` says, or else `usual`, a share of the disk.
///
/// # Errors
/// When it is known to be under 2 % of the disk: no cure.
pub(super) fn freed(case: &Case, known: &str, usual: f64) -> Result<(Effect, f64), Unfit> {
    let limit = case.number("limit").filter(|&limit| limit > 0.0);
    let known = case.number(known).zip(limit);
    // Bytes are no measure of how many inodes they free.
    let known = known.filter(|_| case.fact("family") != Some("inodes"));
    let share = known.map_or(usual, |(bytes, limit)| bytes / limit);
    if share < 0.02 {
        return Err(Unfit::because(format!(
            "it would free {:.1} % of {}: no cure",
            share * 100.0,
            case.entity
        )));
    }
    let freed = match &*case.unit {
        "ratio" => share,
        "percent" => share * 100.0,
        unit => {
            return Err(Unfit::because(format!(
                "how full {} is would have to be known as a share, and is told in {:?}",
                case.entity,
                draft::plain(unit)
            )));
        }
    };
    let effect = draft::effect(case, (case.value - freed).max(0.0), 300.0)?;
    Ok((effect, if known.is_some() { 0.95 } else { 0.45 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_in_a_named_directory_is_safe() {
        for safe in ["tmp/**", "spool/print/*.tmp", "cache"] {
            assert!(is_safe_below(safe), "{safe}");
        }
        for unsafe_ in [
            "",
            "/etc/**",
            "**",
            "*/tmp",
            "tmp/../data/**",
            "~root/*",
            "t[m]p/*",
            "tmp/./x",
            "a\\b",
        ] {
            assert!(!is_safe_below(unsafe_), "{unsafe_}");
        }
    }
}
