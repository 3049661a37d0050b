//! What an order must be before any executor looks at it.

use remedy::action::Action;
use remedy::order::Order;

/// Most bytes of the key of an order.
pub const MAX_KEY_BYTES: usize = 128;
/// The longest that an order may take: a day, in seconds.
pub const MAX_TIMEOUT_S: f64 = 86_400.0;

/// Why an order is refused as it stands.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// A key that cannot be sent in a header, or that could run together with what is signed beside it.
    #[error(
        "the key {start:?} of the order has {bytes} bytes; expected 1 to {MAX_KEY_BYTES} letters, digits, - and _"
    )]
    Key {
        /// How it begins.
        start: String,
        /// Its length.
        bytes: usize,
    },
    /// A time that is no time.
    #[error(
        "the timeout of order {key} is {timeout_s} s, expected more than 0 and at most {MAX_TIMEOUT_S}"
    )]
    Timeout {
        /// Which order.
        key: String,
        /// Its timeout.
        timeout_s: f64,
    },
    /// A number in the action that says nothing.
    #[error("{field} of order {key} is {value}, expected a finite number of at least 0")]
    Number {
        /// Which order.
        key: String,
        /// Which number.
        field: &'static str,
        /// What it is.
        value: f64,
    },
}

/// Refuses what no executor can carry out.
pub(crate) fn check(order: &Order) -> Result<(), OrderError> {
    let key = &order.key;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if key.is_empty() || key.len() > MAX_KEY_BYTES || !key.bytes().all(is_plain) {
        return Err(OrderError::Key {
            start: key.chars().take(40).collect(),
            bytes: key.len(),
        });
    }
    if !(order.timeout_s > 0.0 && order.timeout_s <= MAX_TIMEOUT_S) {
        return Err(OrderError::Timeout {
            key: key.clone(),
            timeout_s: order.timeout_s,
        });
    }
    let bad = numbers(&order.action)
        .into_iter()
        .flatten()
        .find(|(_, value)| !(value.is_finite() && *value >= 0.0));
    bad.map_or(Ok(()), |(field, value)| {
        Err(OrderError::Number {
            key: key.clone(),
            field,
            value,
        })
    })
}

/// The numbers of an action that could be none.
fn numbers(action: &Action) -> [Option<(&'static str, f64)>; 2] {
    match action {
        Action::Restart { back_off_s, .. } => [Some(("back_off_s", *back_off_s)), None],
        Action::SetLimit { from, to, .. } => [Some(("from", *from)), Some(("to", *to))],
        Action::Drain { timeout_s, .. } => [Some(("timeout_s", *timeout_s)), None],
        Action::RemoveFiles { older_than_s, .. } => [Some(("older_than_s", *older_than_s)), None],
        Action::GrowVolume {
            from_bytes,
            to_bytes,
            ..
        } => [
            Some(("from_bytes", *from_bytes)),
            Some(("to_bytes", *to_bytes)),
        ],
        Action::CancelQueries { longer_than_s, .. }
        | Action::EndIdleSessions { longer_than_s, .. } => {
            [Some(("longer_than_s", *longer_than_s)), None]
        }
        Action::ShedLoad { share, .. } => [Some(("share", *share)), None],
        Action::Scale { .. }
        | Action::SetParameter { .. }
        | Action::Undrain { .. }
        | Action::ClearCache { .. }
        | Action::RotateLogs { .. }
        | Action::Snapshot { .. }
        | Action::RestoreSnapshot { .. }
        | Action::CreateIndex { .. }
        | Action::DropIndex { .. }
        | Action::Analyze { .. }
        | Action::RenewCertificate { .. }
        | Action::RestoreCertificate { .. }
        | Action::Reload { .. }
        | Action::Quarantine { .. }
        | Action::Release { .. }
        | Action::SetPackage { .. }
        | Action::ApplyConfiguration { .. }
        | Action::RevertConfiguration { .. }
        | Action::AdmitLoad { .. }
        | Action::OpenBreaker { .. }
        | Action::CloseBreaker { .. }
        | Action::FailOver { .. }
        | Action::PauseJobs { .. }
        | Action::ResumeJobs { .. }
        | Action::Capture { .. }
        | Action::Notify { .. } => [None, None],
    }
}

/// The names of all actions, as [`Action::name`] has them.
pub const ACTIONS: [&str; 34] = [
    "restart",
    "scale",
    "set_limit",
    "set_parameter",
    "drain",
    "undrain",
    "clear_cache",
    "remove_files",
    "rotate_logs",
    "grow_volume",
    "snapshot",
    "restore_snapshot",
    "create_index",
    "drop_index",
    "cancel_queries",
    "end_idle_sessions",
    "analyze",
    "renew_certificate",
    "restore_certificate",
    "reload",
    "quarantine",
    "release",
    "set_package",
    "apply_configuration",
    "revert_configuration",
    "shed_load",
    "admit_load",
    "open_breaker",
    "close_breaker",
    "fail_over",
    "pause_jobs",
    "resume_jobs",
    "capture",
    "notify",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn every_action_is_named_once() {
        let samples = samples::actions("host/a", "x");
        let names: Vec<_> = samples.iter().map(Action::name).collect();
        assert_eq!(names, ACTIONS);
    }

    #[test]
    fn what_nobody_can_carry_out_is_refused_by_name() {
        let order = samples::order(samples::restart("service/api"));
        check(&order).unwrap();
        let refused = |change: fn(&mut Order), says: &str| {
            let mut order = order.clone();
            change(&mut order);
            let error = check(&order).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        };
        refused(|order| order.key.clear(), "has 0 bytes");
        refused(|order| order.key = "p1.0".into(), "\"p1.0\"");
        refused(|order| order.key = "p1\r\nx: y".into(), "\\r\\n");
        refused(|order| order.key = "k".repeat(200), "has 200 bytes");
        refused(|order| order.timeout_s = f64::NAN, "NaN s");
        refused(|order| order.timeout_s = -1.0, "-1 s");
        refused(|order| order.timeout_s = 1e9, "1000000000 s");
        let nan: fn(&mut Order) = |order| {
            order.action = Action::ShedLoad {
                target: order.action.target().clone(),
                share: f64::NAN,
            };
        };
        refused(nan, "share of order p17-0-do is NaN");
    }
}
