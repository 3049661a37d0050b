//! Certificates that expire in less than 30 days.
//!
//! *Rule and prediction* are one finding, because the end is known: present below 30 days, with the seconds that are left as the
//! time to failure. That somebody will be in trouble by then is likelier the less time is left: a renewal that a machine does
//! comes 30 days before the end, so one that did not come by then is late already. Probes of this host's files and endpoints are
//! told with [`certificate`], and what exporters tell ([`Rule`]s of role `Expiry`) becomes the same.

use std::collections::BTreeMap;

use series::{SeriesKey, Timestamp};

use super::rule::{Read, Role, Rule, Test, Threshold};
use super::tell::{About, Numbers, clean, date, facts, finding, number, signal};
use crate::{Class, EntityId, Finding, Kind, MAX_ENTITY_BYTES, Source};

const DAY_S: f64 = 86_400.0;
/// A certificate that ends later than this many days from now ends never, for people: 10,000 years keep numbers finite.
const MOST_DAYS: f64 = 3_652_500.0;
/// Days beyond the threshold after which a finding is taken back: a new one is good for months, a clock is off by seconds.
const BACK_DAYS: f64 = 1.0;
/// Metrics with the time at which a certificate expires, in seconds since 1970.
const EXPORTED: [&str; 6] = [
    "probe_ssl_earliest_cert_expiry",
    "certmanager_certificate_expiration_timestamp_seconds",
    "ssl_cert_not_after",
    "ssl_file_cert_not_after",
    "ssl_kubernetes_cert_not_after",
    "x509_cert_not_after",
];

/// A certificate that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpiringCertificate {
    /// Which, of kind [`Kind::Certificate`].
    pub entity: EntityId,
    /// The file or endpoint where it was seen.
    pub signal: String,
    /// When it expires.
    pub not_after: Timestamp,
    /// Since when it is valid, if that is known.
    pub not_before: Option<Timestamp>,
    /// Who issued it; may be empty.
    pub issuer: String,
    /// For an endpoint: a file holds a newer one, which is not served.
    pub newer_on_disk: bool,
    /// Whether the finding was present before, which makes for hysteresis; `false` when that is not known.
    pub was_present: bool,
}

/// A finding about a certificate as of `now`: present when less than `threshold_days` are left (30 by the issue's text).
///
/// `value` and `threshold` are days, below 0 once it has expired. `ttf_s` are the seconds that are left; the probabilities are
/// those that it expires with nobody renewing it, within 30 minutes and within a day.
#[must_use]
pub fn certificate(seen: &ExpiringCertificate, threshold_days: f64, now: Timestamp) -> Finding {
    let left_s = seen.not_after.seconds_since(now);
    let days = (left_s / DAY_S).clamp(-MOST_DAYS, MOST_DAYS);
    let back = if seen.was_present { BACK_DAYS } else { 0.0 };
    let is_present = days < threshold_days + back;
    let left_s = left_s.max(0.0);
    let mut facts = BTreeMap::new();
    let mut put = |name: &str, value: String| facts.insert(name.to_owned(), value);
    put("days_left", format!("{days:.2}"));
    put("not_after", date(seen.not_after));
    if let Some(from) = seen.not_before {
        put(
            "validity_days",
            number((seen.not_after.seconds_since(from) / DAY_S).round()),
        );
    }
    if !seen.issuer.is_empty() {
        put("issuer", clean(&seen.issuer));
    }
    put("newer_on_disk", seen.newer_on_disk.to_string());
    let numbers = Numbers {
        value: days,
        threshold: threshold_days,
        probability: in_trouble(left_s, 1_800.0),
        probability_day: in_trouble(left_s, DAY_S),
        ttf_s: Some([left_s; 3]),
        confidence: 0.99,
    };
    let about = About {
        entity: &seen.entity,
        class: Class::CertificateExpiry,
        source: Source::Probe,
        signal: &seen.signal,
        unit: "days",
        cause: if left_s > 0.0 { "expiry" } else { "expired" },
    };
    finding(&about, is_present, now, &numbers, facts)
}

/// P(it expires within `h_s` seconds): certain if the end lies before, and else next to nothing, as by a clock that is off
/// by minutes.
fn in_trouble(left_s: f64, h_s: f64) -> f64 {
    let late_s = left_s - h_s;
    if late_s <= 0.0 {
        1.0
    } else {
        (-late_s / 300.0).exp()
    }
}

/// The same from a metric: `expires_s` seconds since 1970. `None` for what is no time.
pub(super) fn of_series(
    key: &SeriesKey,
    entity: &EntityId,
    expires_s: f64,
    now: Timestamp,
    was_present: bool,
) -> Option<Finding> {
    // Exporters write 0, or the year 1, where there is no certificate.
    let not_after = Timestamp::from_secs_f64(expires_s).filter(|_| expires_s > 0.0)?;
    let issuer = ["issuer_cn", "issuer", "issuer_CN"]
        .iter()
        .find_map(|label| key.label(label));
    let seen = ExpiringCertificate {
        entity: entity.clone(),
        signal: signal(key),
        not_after,
        not_before: None,
        issuer: issuer.unwrap_or_default().to_owned(),
        newer_on_disk: false,
        was_present,
    };
    let mut found = certificate(&seen, THRESHOLD_DAYS, now);
    found.facts.remove("newer_on_disk");
    for (name, value) in facts(key) {
        found.facts.entry(name).or_insert(value);
    }
    Some(found)
}

/// Days, by the issue's text.
pub const THRESHOLD_DAYS: f64 = 30.0;

/// The certificate that a series tells of: by the endpoint or file that was probed, or by the name that it has in a cluster.
pub(super) fn entity_of(key: &SeriesKey) -> Option<EntityId> {
    let named = |labels: &[&str]| labels.iter().find_map(|label| key.label(label));
    let name = match named(&["exported_namespace", "namespace"]) {
        Some(namespace) if key.metric().starts_with("certmanager_") => {
            format!("{namespace}/{}", named(&["name", "exported_name"])?)
        }
        _ => named(&[
            "target",
            "file",
            "path",
            "filename",
            "secret",
            "instance",
            "cn",
            "subject_CN",
        ])?
        .to_owned(),
    };
    let name: String = clean(&name);
    EntityId::new(
        Kind::Certificate,
        &super::tell::cut_to(&name, MAX_ENTITY_BYTES - 32),
    )
    .ok()
}

pub(super) fn rules() -> Vec<Rule> {
    let rules = EXPORTED.map(|metric| Rule {
        reads: vec![Read::new(metric, &[], Role::Expiry)],
        test: Test::Expiry,
        foretells: false,
        ..Rule::gauge(
            Class::CertificateExpiry,
            metric,
            Threshold::usual(THRESHOLD_DAYS, 0.0),
            "days",
        )
    });
    rules.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: f64) -> Timestamp {
        Timestamp::from_secs_f64(1.7e9 + days * DAY_S).unwrap()
    }

    fn seen(days: f64) -> Finding {
        let seen = ExpiringCertificate {
            entity: "certificate/shop:443".parse().unwrap(),
            signal: "shop:443".to_owned(),
            not_after: at(days),
            not_before: Some(at(days - 90.0)),
            issuer: "R3".to_owned(),
            newer_on_disk: true,
            was_present: false,
        };
        certificate(&seen, THRESHOLD_DAYS, at(0.0))
    }

    #[test]
    fn thirty_days_are_the_edge() {
        for (days, is_present, day) in [
            (31.0, false, 0.0),
            (29.9, true, 0.0),
            (0.5, true, 1.0),
            (-3.0, true, 1.0),
        ] {
            let found = seen(days);
            found.check().unwrap();
            assert_eq!(found.is_present, is_present, "{days}");
            assert!(
                (found.value - days).abs() < 1e-6 && (found.probability_day - day).abs() < 1e-9
            );
            assert_eq!(found.ttf_s, Some([days.max(0.0) * DAY_S; 3]));
        }
        let facts = seen(6.0).facts;
        assert_eq!(
            (
                &*facts["days_left"],
                &*facts["validity_days"],
                &*facts["newer_on_disk"]
            ),
            ("6.00", "90", "true")
        );
    }

    #[test]
    fn what_is_no_time_is_no_certificate() {
        let key: SeriesKey = r#"probe_ssl_earliest_cert_expiry{instance="https://shop"}"#
            .parse()
            .unwrap();
        let entity = entity_of(&key).unwrap();
        assert_eq!(entity.as_str(), "certificate/https://shop");
        for nothing in [0.0, -6.2e10, 1e300] {
            assert_eq!(of_series(&key, &entity, nothing, at(0.0), false), None);
        }
        assert!(
            of_series(&key, &entity, 1.7e9 + DAY_S, at(0.0), false)
                .unwrap()
                .is_present
        );
    }
}
