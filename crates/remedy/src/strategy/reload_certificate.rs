//! Has a newer certificate served that is there already.

use super::draft::{effect, only, reader, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Has a newer certificate served that lies on disk already: renewed, and never read.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "reload_certificate",
    about: "have the newer certificate read that is on disk already",
    classes: &[Class::CertificateExpiry],
    // Whoever cannot read the new one goes on with the old one.
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    cost_min: 0.5,
    duration_s: 10.0,
    prior: [9.0, 1.0],
    harm: 0.005,
    fallbacks: &["renew_certificate", "order_certificate", "notify_owner"],
    draft,
};

/// Days for which a certificate is good when nobody says: those of Let's Encrypt.
pub(super) const USUAL_DAYS: f64 = 90.0;

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Certificate])?;
    if !case.is("newer_on_disk") {
        return Err(Unfit::because(format!(
            "no newer certificate than is served is known for {}",
            case.entity
        )));
    }
    if case.forbids("reload") {
        return Err(Unfit::because(format!(
            "what serves {} reads it at a start only",
            case.entity
        )));
    }
    let days = case.number("validity_days").unwrap_or(USUAL_DAYS);
    let reload = Action::Reload {
        target: reader(case).clone(),
    };
    Ok(Draft {
        steps: vec![step(reload, 60.0)],
        effect: effect(case, days, 300.0)?,
        because: "a newer certificate is on disk, and the old one is still served".to_owned(),
        fit: 0.95,
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn there_must_be_a_newer_one() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with(
                "certificate/shop.example:443",
                Class::CertificateExpiry,
                6.0,
                facts,
            ))
        };
        assert!(drafted(&[]).is_err());
        let newer = drafted(&[("newer_on_disk", "true")]).unwrap();
        assert_eq!((newer.effect.from, newer.effect.to), (6.0, 90.0));
        assert!(drafted(&[("newer_on_disk", "true"), ("validity_days", "3")]).is_err());
        assert!(drafted(&[("newer_on_disk", "true"), ("reload", "no")]).is_err());
    }
}
