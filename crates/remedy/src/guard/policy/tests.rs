use proptest::prelude::*;

use super::*;

fn policy(expression: &str) -> PolicySource {
    PolicySource {
        name: "business".to_owned(),
        effect: Effect::Deny,
        expression: expression.to_owned(),
        reason: String::new(),
    }
}

#[test]
fn what_can_be_worked_out_is_taken() {
    for expression in [
        "false",
        "plan.strategy == \"restart\" && entity.tier == 1",
        r#"plan.actions.exists(a, a == "restart") && entity.tier == 1 && at.hour >= 8 && at.hour < 18"#,
        r#"["restart", "reload"].all(a, plan.actions.exists(b, a == b))"#,
        "issue.severity_rank >= 3 ? plan.risk > 0.1 : at.weekday > 5",
        "plan[\"strategy\"] != issue.cause || !plan.is_approved",
        // Attributes are the user's: the example has those that are asked for.
        "entity.attributes.pool == 'blue'",
        "has(entity.attributes.pool) && int(entity.attributes[\"pool\"]) > 3",
        "'pool' in entity.attributes || entity.attributes.exists(key, key.startsWith('x'))",
        "entity.attributes[issue.cause] == 'yes'",
        // Others have no leftover, no second action, and another cause.
        "entity.n_affected / (entity.tier - 1) > 2",
        "plan.actions[1] == 'restart'",
        "int(issue.cause) > 3",
    ] {
        policy(expression).compile().unwrap();
    }
}

#[test]
fn what_would_hold_every_plan_is_refused_with_what_there_is() {
    let check = |expression: &str, says: &str| {
        let error = policy(expression).compile().unwrap_err().to_string();
        assert!(error.contains(says), "{expression}: {error}");
    };
    check("1 + 1", "it is of type int, neither true nor false");
    check("plan.strategy", "it is of type string");
    check("entity.attributes.pool", "it is of type string");
    check("plan.actions.map(a, a)", "it is of type list");
    check("at.hour > 8 ? entity.tier : false", "it is of type int");
    check(
        "plan.stratgy == \"x\"",
        "it reads plan.stratgy; plan has actions, authority, capacity_away, confidence, is_approved, reversibility, risk, \
         strategy",
    );
    check(
        "entity.teir == 1",
        "entity has attributes, host, n_affected, owner, replicas, service, tier",
    );
    check("has(plan.acton)", "it reads plan.acton");
    check("at[\"day\"] == 1", "at has hour, minute, weekday");
    check(
        "plan.actions.exists(a, plan.acton == a)",
        "it reads plan.acton",
    );
    check("today.hour == 1", "it reads \"today\"; there are issue,");
    // What the example would leave out.
    check("false && entity.teir == 1", "it reads entity.teir");
    check("true || plan.strategy > 1", "'_>_'");
    check("true || entity.owner", "it is of type string");
    check("false && matches_all(plan.strategy)", "matches_all");
    check("plan.strategy.name == 'restart'", "'_._'");
}

#[test]
fn an_expression_that_is_nested_without_end_is_refused() {
    let deep = [
        "a.b".to_owned() + &".b".repeat(2000),
        "1".to_owned() + &"+1".repeat(2000),
        "plan.actions".to_owned() + &"[0]".repeat(1300),
        "(".repeat(2000) + "true" + &")".repeat(2000),
        "(".repeat(4000),
        "[{".repeat(1000) + &"}]".repeat(1000),
        "true".to_owned() + &" ? true : true".repeat(280),
        "true ? ".repeat(400) + "true" + &" : true".repeat(180),
    ];
    for expression in deep {
        assert!(policy(&expression).compile().is_err(), "{expression}");
    }
    let many = [
        "plan.is_approved".to_owned() + &" || plan.is_approved".repeat(90),
        "1".to_owned() + &"+1".repeat(35) + " > 1",
        "true".to_owned() + &" ? true : true".repeat(35),
        "!".repeat(4000) + "plan.is_approved",
        "(".repeat(40) + "true" + &")".repeat(40),
    ];
    for expression in many {
        policy(&expression).compile().unwrap();
    }
}

proptest! {
    #[test]
    fn whatever_is_written_is_taken_or_refused(text in "\\PC{0,80}") {
        let _ = policy(&text).compile();
    }

    #[test]
    fn whatever_is_pieced_together_is_taken_or_refused(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "plan", "entity", "at", ".strategy", ".actions", ".attributes", ".x", ".hour", "[0]", "['x']", "(", ")", "[", "]",
            "{", "}", "1", "-1", "0", "1.5", "'x'", "b'x'", "null", "true", "a", ",", ":", " ? ", " && ", " || ", "!", " == ",
            " in ", " < ", " + ", " / ", " % ", ".all(a, ", ".map(a, ", ".exists_one(a, ", ".filter(a, ", "has(", "size(", "int(",
            ".contains(", "type(", "9223372036854775807", "dyn(",
        ]), 0..14)
    ) {
        let _ = policy(&pieces.concat()).compile();
    }
}
