//! Ids, tokens, texts and numbers that somebody chose.

use tonic::Code;

use super::*;

fn giant() -> String {
    "x".repeat(1 << 20)
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_none_are_refused_and_unknown_ones_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    server.slow().await;
    let before = server.get_safety().await.audit_seq;
    let texts = [
        "",
        "1",
        "i",
        "i-1",
        "i+1",
        "i 1",
        "i1.0",
        "i1\0",
        "i\u{661}",
        "I1",
        "i18446744073709551616",
        "../i1",
    ];
    let giant = giant();
    for text in texts.into_iter().chain([&*giant]) {
        let id = text.to_owned();
        let status = server
            .issues()
            .get_issue(v1::GetIssueRequest { id: id.clone() })
            .await;
        let status = status.unwrap_err();
        assert_invalid(&status, "id");
        assert!(status.message().len() < 1000, "{text:?}");
        let plan = id.replace('i', "p");
        for status in [
            server
                .plans()
                .get_plan(v1::GetPlanRequest { id: plan.clone() })
                .await
                .unwrap_err(),
            server
                .plans()
                .explain_plan(v1::ExplainPlanRequest { id: plan.clone() })
                .await
                .unwrap_err(),
            server.approve(&plan, "olga").await.unwrap_err(),
        ] {
            assert_invalid(&status, "id");
        }
        let wait = v1::WaitOperationRequest {
            name: format!("operations/{plan}"),
            timeout_s: 0.0,
        };
        assert_invalid(
            &server.plans().wait_operation(wait).await.unwrap_err(),
            "name",
        );
    }
    for n in [
        "0",
        "2",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
    ] {
        let (issue, plan) = (format!("i{n}"), format!("p{n}"));
        let acknowledge = v1::AcknowledgeIssueRequest {
            id: issue.clone(),
            actor: "olga".to_owned(),
            ..Default::default()
        };
        for status in [
            server
                .issues()
                .get_issue(v1::GetIssueRequest { id: issue.clone() })
                .await
                .unwrap_err(),
            server
                .issues()
                .acknowledge_issue(acknowledge)
                .await
                .unwrap_err(),
            server
                .plans()
                .get_plan(v1::GetPlanRequest { id: plan.clone() })
                .await
                .unwrap_err(),
            server.approve(&plan, "olga").await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound, "{n}: {status}");
        }
    }
    assert_eq!(server.get_safety().await.audit_seq, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_sizes_and_numbers_that_make_no_sense_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let giant = giant();
    for token in [
        "x",
        "-1",
        "1.5",
        "18446744073709551616",
        "\0",
        "0' OR 1=1 --",
        &giant,
    ] {
        let issues = |include_resolved| v1::ListIssuesRequest {
            include_resolved,
            page_token: token.to_owned(),
            ..Default::default()
        };
        let plans = v1::ListPlansRequest {
            page_token: token.to_owned(),
            ..Default::default()
        };
        let outcomes = v1::ListOutcomesRequest {
            page_token: token.to_owned(),
            ..Default::default()
        };
        for status in [
            server.issues().list_issues(issues(true)).await.unwrap_err(),
            server
                .issues()
                .list_issues(issues(false))
                .await
                .unwrap_err(),
            server.plans().list_plans(plans).await.unwrap_err(),
            server.plans().list_outcomes(outcomes).await.unwrap_err(),
        ] {
            assert_invalid(&status, "page_token");
            assert!(status.message().len() < 1000);
        }
    }
    let negative = v1::ListPlansRequest {
        page_size: -1,
        ..Default::default()
    };
    assert_invalid(
        &server.plans().list_plans(negative).await.unwrap_err(),
        "page_size",
    );
    // As much as there may be, from the end of the numbers.
    let all = v1::ListPlansRequest {
        page_size: i32::MAX,
        page_token: u64::MAX.to_string(),
        ..Default::default()
    };
    assert_eq!(
        server
            .plans()
            .list_plans(all)
            .await
            .unwrap()
            .into_inner()
            .plans
            .len(),
        1
    );
    let states = v1::ListPlansRequest {
        states: vec![1, 99],
        ..Default::default()
    };
    assert_invalid(
        &server.plans().list_plans(states).await.unwrap_err(),
        "states[1]",
    );
    let classes = v1::WatchIssuesRequest {
        classes: vec![-1],
        ..Default::default()
    };
    assert_invalid(
        &server.issues().watch_issues(classes).await.unwrap_err(),
        "classes[0]",
    );
    let entity = v1::ListIssuesRequest {
        entity: "web-1'; DROP TABLE issues; --".to_owned(),
        ..Default::default()
    };
    assert_invalid(
        &server.issues().list_issues(entity).await.unwrap_err(),
        "entity",
    );
    for timeout_s in [f64::NAN, f64::INFINITY, -1.0, 601.0] {
        let wait = v1::WaitOperationRequest {
            name: "operations/p1".to_owned(),
            timeout_s,
        };
        assert_invalid(
            &server.plans().wait_operation(wait).await.unwrap_err(),
            "timeout_s",
        );
    }
    for duration_s in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
        let suppress = v1::SuppressIssueRequest {
            id: issue.id.clone(),
            actor: "olga".to_owned(),
            note: "quiet".to_owned(),
            duration_s,
            ..Default::default()
        };
        let status = server.issues().suppress_issue(suppress).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
    for (after_seq, subject) in [
        (u64::MAX, String::new()),
        (0, giant.clone()),
        (0, "a\0b".to_owned()),
    ] {
        let audit = v1::ListAuditRequest {
            after_seq,
            subject,
            page_size: i32::MAX,
        };
        assert_eq!(
            server
                .safety()
                .list_audit(audit)
                .await
                .unwrap()
                .into_inner()
                .entries,
            []
        );
    }
    let strategy = v1::ListOutcomesRequest {
        strategy: "'; DROP TABLE plans; --\0".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        server
            .plans()
            .list_outcomes(strategy)
            .await
            .unwrap()
            .into_inner()
            .plans,
        []
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_without_bound_are_refused_and_strange_ones_are_kept_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(planner(dir.path())).await;
    let issue = server.slow().await;
    let note = |note: &str| v1::AcknowledgeIssueRequest {
        id: issue.id.clone(),
        actor: "olga".to_owned(),
        note: note.to_owned(),
        ..Default::default()
    };
    let before = server.get_safety().await.audit_seq;
    for text in [&*giant(), &"é".repeat(513), "a\0b", "\u{1b}[2J"] {
        let status = server
            .issues()
            .acknowledge_issue(note(text))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().len() < 1000);
    }
    for id in ["x".repeat(129), "a\0b".to_owned(), giant()] {
        let request = v1::AcknowledgeIssueRequest {
            request_id: id,
            ..note("x")
        };
        let status = server
            .issues()
            .acknowledge_issue(request)
            .await
            .unwrap_err();
        assert_invalid(&status, "request_id");
    }
    let request = v1::AcknowledgeIssueRequest {
        actor: giant(),
        ..note("x")
    };
    let status = server
        .issues()
        .acknowledge_issue(request)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().len() < 1000);
    assert_eq!(server.get_safety().await.audit_seq, before);

    let strange = "'; DROP TABLE issues; -- \u{202e}😀 {\"x\":1}\nline";
    server
        .issues()
        .acknowledge_issue(note(strange))
        .await
        .unwrap();
    let server = server.restart(planner(dir.path())).await;
    let get = v1::GetIssueRequest {
        id: issue.id.clone(),
    };
    let got = server.issues().get_issue(get).await.unwrap().into_inner();
    let notes = got.history.iter().map(|entry| {
        let body: serde_json::Value = serde_json::from_str(&entry.body).unwrap();
        body["note"].as_str().map(str::to_owned)
    });
    assert!(
        notes
            .into_iter()
            .any(|note| note.as_deref() == Some(strange))
    );
    // A message beyond what is taken at all.
    let status = server
        .issues()
        .acknowledge_issue(note(&"x".repeat(64 << 20)))
        .await
        .unwrap_err();
    assert!(
        [
            Code::OutOfRange,
            Code::ResourceExhausted,
            Code::Unknown,
            Code::Internal
        ]
        .contains(&status.code()),
        "{status}"
    );
}
