//! How the plan came about.

use proto::v1::{Explanation, PlanCandidate, PlanVeto, RiskRating};

/// How the plan came about.
pub(in crate::planner) fn explanation() -> Explanation {
    let rating = |(criterion, value): (&str, f64)| RiskRating {
        criterion: criterion.to_owned(),
        value,
        reason: format!("what is known of {criterion}"),
    };
    let ratings = |values: [f64; 5]| {
        let names = [
            "blast_radius",
            "business_impact",
            "technical",
            "compliance",
            "rollback",
        ];
        names.into_iter().zip(values).map(rating).collect()
    };
    let candidate = |strategy: &str, success: f64, risk: f64, acting_cost: f64| PlanCandidate {
        strategy: strategy.to_owned(),
        success,
        confidence: success * 0.98,
        risk,
        ratings: ratings([0.1, 0.2, 0.1, 0.0, 0.15]),
        acting_cost,
        waiting_cost: 41.2,
        ..PlanCandidate::default()
    };
    let mut limit = candidate("raise_memory_limit", 0.61, 0.2, 3.5);
    limit.vetoes = vec![PlanVeto {
        layer: "human_gate".to_owned(),
        rule: "irreversible".to_owned(),
        stop: "until_approved".to_owned(),
        reason: "nothing undoes it".to_owned(),
    }];
    let mut quarantine = candidate("quarantine", 0.4, 0.7, 12.0);
    quarantine.vetoes = vec![PlanVeto {
        layer: "hard_limits".to_owned(),
        rule: "availability_floor".to_owned(),
        stop: "for_good".to_owned(),
        reason: "2 of 3 instances would be left, and 3 are needed".to_owned(),
    }];
    Explanation {
        decision: "d9".to_owned(),
        course: "ask".to_owned(),
        chosen: "restart_rolling".to_owned(),
        urgency: "now".to_owned(),
        reasons: vec!["acting is expected to cost 0.3 min, waiting 41.2 min".to_owned()],
        candidates: vec![
            candidate("restart_rolling", 0.92, 0.12, 0.3),
            limit,
            quarantine,
            PlanCandidate {
                strategy: "clear_cache".to_owned(),
                unfit: "it has no cache that is known".to_owned(),
                ..PlanCandidate::default()
            },
        ],
        input_sha256: "ab".repeat(32),
        output_sha256: "cd".repeat(32),
    }
}
