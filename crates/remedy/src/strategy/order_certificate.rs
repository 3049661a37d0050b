//! Asks people for a certificate that no machine can get.

use super::draft::{amount, capture, finding_gone, notify, only};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::{Class, Kind};

/// Asks people for a certificate that no machine can get, with all that a signing request needs.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "order_certificate",
    about: "write down what a signing request needs, and ask the owner to order the certificate",
    classes: &[Class::CertificateExpiry],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    // Half an hour of somebody's work, but in office hours.
    cost_min: 6.0,
    duration_s: 60.0,
    prior: [6.0, 3.0],
    harm: 0.001,
    fallbacks: &["notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Certificate])?;
    if case.fact("renewal") == Some("acme") {
        return Err(Unfit::because(format!(
            "{} is renewed by machine",
            case.entity
        )));
    }
    let days_left = case.number("days_left").unwrap_or(case.value);
    Ok(Draft {
        steps: vec![
            capture(&case.entity, "subject, names, key type and issuer"),
            notify(
                case,
                "No machine can renew it: please order it, what a signing request needs was written down",
            ),
        ],
        // An order takes people some days; before that nothing can be judged.
        effect: finding_gone(case, 7.0 * 86_400.0),
        because: format!(
            "its issuer signs by hand, and {} are left",
            amount(days_left, "days")
        ),
        fit: if case.fact("renewal") == Some("manual") {
            0.7
        } else {
            0.4
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn what_a_machine_renews_is_not_ordered() {
        let drafted = |renewal| {
            let facts = [("renewal", renewal)];
            draft(&with(
                "certificate/shop.example:443",
                Class::CertificateExpiry,
                12.0,
                &facts,
            ))
        };
        assert!(drafted("acme").is_err());
        assert_eq!(
            drafted("manual").unwrap().because,
            "its issuer signs by hand, and 12 days are left"
        );
        assert!(drafted("").unwrap().fit < drafted("manual").unwrap().fit);
    }
}
