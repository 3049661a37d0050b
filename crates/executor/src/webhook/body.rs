//! What is sent.

use bytes::Bytes;
use remedy::order::Order;
use serde::Serialize;

use crate::preview::date;
use crate::{About, Summary};

/// The version of the body. It rises when a receiver that knows the last one would misread it; fields may be added without.
pub const SCHEMA: u32 = 1;
/// Most bytes of a body.
pub const MAX_BODY_BYTES: usize = 256 << 10;

#[derive(Serialize)]
struct Body<'a> {
    /// As Standard Webhooks recommends: which of the two it is …
    #[serde(rename = "type")]
    kind: &'static str,
    /// … and when the order was given, not when it was sent.
    timestamp: String,
    schema: u32,
    dry_run: bool,
    ask: bool,
    order: &'a Order,
    plan: Option<&'a Summary>,
}

/// The two bodies of an order: made once, so that every repetition is the same, byte for byte.
#[derive(Debug)]
pub(super) struct Bodies {
    pub(super) order: Bytes,
    pub(super) ask: Bytes,
}

impl Bodies {
    /// Of an order that was checked.
    pub(super) fn of(order: &Order, about: &About) -> Result<Self, String> {
        let write = |ask: bool| {
            let body = Body {
                kind: if ask { "order.ask" } else { "order.carry_out" },
                timestamp: date(order.at),
                schema: SCHEMA,
                dry_run: false,
                ask,
                order,
                plan: about.summary.as_ref(),
            };
            let bytes = serde_json::to_vec(&body);
            let bytes = bytes.map_err(|error| format!("writing order {}: {error}", order.key))?;
            if bytes.len() > MAX_BODY_BYTES {
                return Err(format!(
                    "order {} has {} bytes, at most {MAX_BODY_BYTES} are sent",
                    order.key,
                    bytes.len()
                ));
            }
            Ok(Bytes::from(bytes))
        };
        Ok(Self {
            order: write(false)?,
            ask: write(true)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::samples;

    #[test]
    fn this_is_what_a_receiver_gets() {
        let order = samples::order(samples::scale("service/api", 3, 5));
        let about = About::of(&samples::plan("service/api", Vec::new()), &[].into());
        let bodies = Bodies::of(&order, &about).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bodies.order).unwrap();
        expect![[r#"
            {
              "ask": false,
              "dry_run": false,
              "order": {
                "action": {
                  "do": "scale",
                  "from": 3,
                  "target": "service/api",
                  "to": 5
                },
                "at": 1795694400000000,
                "fence": 3,
                "is_undo": false,
                "issue": 4,
                "key": "p17-0-do",
                "plan": 17,
                "step": 0,
                "timeout_s": 60.0
              },
              "plan": {
                "approved_by": [],
                "attempt": 0,
                "because": [
                  "each replica is above its target; two more bring all of them under it"
                ],
                "cause": "growth",
                "class": "cpu_saturation",
                "entity": "service/api",
                "issue": "i4",
                "n_steps": 0,
                "plan": "p17",
                "strategy": "scale_out"
              },
              "schema": 1,
              "timestamp": "2026-11-26T12:00:00Z",
              "type": "order.carry_out"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&value).unwrap());
        let asked = String::from_utf8(bodies.ask.to_vec()).unwrap();
        assert!(asked.starts_with(r#"{"type":"order.ask","#) && asked.contains(r#""ask":true"#));
    }

    #[test]
    fn every_action_can_be_read_back() {
        for action in samples::actions("database/orders", "\u{0}'\"\\") {
            let order = samples::order(action);
            let bodies = Bodies::of(&order, &About::default()).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&bodies.order).unwrap();
            assert_eq!(
                serde_json::from_value::<Order>(value["order"].clone()).unwrap(),
                order
            );
        }
    }

    #[test]
    fn an_order_without_end_is_not_sent() {
        let mut order = samples::order(samples::restart("service/api"));
        order.action = remedy::action::Action::Capture {
            target: samples::id("service/api"),
            what: "x".repeat(MAX_BODY_BYTES),
        };
        let error = Bodies::of(&order, &About::default()).unwrap_err();
        assert!(error.contains("at most 262144 are sent"), "{error}");
    }
}
