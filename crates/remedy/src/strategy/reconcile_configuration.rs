//! Makes a file what is declared.

use super::capture_diagnostics::evidence;
use super::draft::{
    capture, gone, may_change_in_place, only, plain, reader, reload_when_undone, step,
};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Lines above which it is no slip but somebody's work.
const MANY_LINES: f64 = 50.0;

/// Makes a file what is declared, keeps what it was, and has it read where that is known to work.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "reconcile_configuration",
    about: "make the file what is declared; what it was is written down and kept",
    classes: &[Class::ConfigurationDrift],
    reversibility: Reversibility::Reversible,
    authority: Authority::Owner,
    cost_min: 3.0,
    duration_s: 30.0,
    prior: [9.0, 1.0],
    // Somebody may have changed it by hand in an emergency.
    harm: 0.05,
    fallbacks: &["capture_diagnostics", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Configuration])?;
    may_change_in_place(case)?;
    let digest = |name| {
        let digest = case.fact(name).filter(|digest| is_sha256(digest));
        let missing =
            || Unfit::because(format!("the fact `{name}` of {} is no digest", case.entity));
        digest.ok_or_else(missing)
    };
    let (actual, declared) = (digest("actual_sha256")?, digest("declared_sha256")?);
    if actual.eq_ignore_ascii_case(declared) {
        return Err(Unfit::because(format!(
            "{} is what is declared",
            case.entity
        )));
    }
    let apply = Action::ApplyConfiguration {
        target: case.entity.clone(),
        from: actual.to_owned(),
        to: declared.to_owned(),
    };
    // Who wrote it when is lost once it is overwritten, and it may be evidence.
    let evidence = evidence(case).map(|what| capture(&case.entity, what));
    let mut steps: Vec<_> = evidence.into_iter().collect();
    if case.allows("reload") {
        let reader = reader(case);
        let reload = Action::Reload {
            target: reader.clone(),
        };
        let before = reload_when_undone(reader, "the loaded configuration");
        steps.extend([before, step(apply, 60.0), step(reload, 60.0)]);
    } else {
        steps.push(step(apply, 60.0));
    }
    let lines = case.number("lines_changed").unwrap_or(0.0);
    Ok(Draft {
        steps,
        effect: gone(case, 600.0),
        because: format!(
            "{} is not what is declared, and what is declared was reviewed",
            plain(case.fact("path").unwrap_or(case.entity.name()))
        ),
        fit: match lines {
            lines if lines > MANY_LINES => 0.35,
            // Access and secrets are put back even if somebody meant well.
            _ if case.is("sensitive") => 0.8,
            _ => 0.7,
        },
        capacity_away: 0.0,
    })
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn undoing_ends_with_a_reload_of_the_old_file() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let facts = [
            ("actual_sha256", &*a),
            ("declared_sha256", &*b),
            ("reload", "yes"),
        ];
        let case = with(
            "configuration/web-1:/etc/nginx/nginx.conf",
            Class::ConfigurationDrift,
            1.0,
            &facts,
        );
        let steps = draft(&case).unwrap().steps;
        let names: Vec<_> = steps.iter().map(|step| step.action.name()).collect();
        assert_eq!(
            names,
            ["capture", "capture", "apply_configuration", "reload"]
        );
        let undone: Vec<_> = steps
            .iter()
            .rev()
            .filter_map(|step| Some(step.inverse.as_ref()?.name()))
            .collect();
        assert_eq!(undone, ["reload", "revert_configuration", "reload"]);
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let case = with(
            "configuration/x",
            Class::ConfigurationDrift,
            1.0,
            &[("actual_sha256", "zz")],
        );
        assert!(draft(&case).unwrap_err().why.contains("actual_sha256"));
    }
}
