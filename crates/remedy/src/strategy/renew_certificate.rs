//! Gets a new certificate from its issuer.

use super::draft::{effect, only, reader, reload_when_undone, step};
use super::reload_certificate::USUAL_DAYS;
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Gets a new certificate from its issuer, where a machine may ask for one, and has it served.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "renew_certificate",
    about: "get a new certificate by ACME, put it in place and have it served; the old one is kept",
    classes: &[Class::CertificateExpiry],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 1.0,
    duration_s: 120.0,
    prior: [9.0, 1.0],
    harm: 0.01,
    fallbacks: &["order_certificate", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Certificate])?;
    if case.fact("renewal") != Some("acme") {
        return Err(Unfit::lacks(
            &case.entity,
            "renewal",
            format!(
                "nothing says that the issuer of {} takes requests of a machine",
                case.entity
            ),
        ));
    }
    if case.is("newer_on_disk") {
        return Err(Unfit::because(format!(
            "{} was renewed already, and only has to be read",
            case.entity
        )));
    }
    let days = case.number("validity_days").unwrap_or(USUAL_DAYS);
    let effect = effect(case, days, 600.0)?;
    let renew = Action::RenewCertificate {
        target: case.entity.clone(),
    };
    let mut steps = vec![step(renew, 600.0)];
    if !case.forbids("reload") {
        let reader = reader(case);
        let reload = Action::Reload {
            target: reader.clone(),
        };
        steps.insert(0, reload_when_undone(reader, "the served certificate"));
        steps.push(step(reload, 60.0));
    }
    Ok(Draft {
        steps,
        effect,
        because: format!("its issuer gives a new one to a machine, good for {days} days"),
        fit: 0.9,
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn undoing_has_the_old_one_served_again() {
        let mut case = with(
            "certificate/shop.example:443",
            Class::CertificateExpiry,
            6.0,
            &[("renewal", "acme")],
        );
        case.around.service = Some("service/shop".parse().unwrap());
        let steps = draft(&case).unwrap().steps;
        let undone: Vec<_> = steps
            .iter()
            .rev()
            .filter_map(|step| Some(step.inverse.as_ref()?.to_string()))
            .collect();
        assert_eq!(
            undone,
            [
                "reload service/shop",
                "restore certificate certificate/shop.example:443",
                "reload service/shop",
            ]
        );
    }

    #[test]
    fn only_where_a_machine_may_ask() {
        let facts = [("renewal", "manual")];
        let case = with("certificate/a", Class::CertificateExpiry, 6.0, &facts);
        assert!(draft(&case).unwrap_err().why.contains("machine"));
    }
}
