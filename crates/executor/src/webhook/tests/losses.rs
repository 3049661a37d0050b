//! What gets lost on the way, and comes again.

use proptest::prelude::*;

use super::line::{ok, reply};
use super::*;

#[tokio::test(start_paused = true)]
async fn repetitions_have_the_same_id_and_body() {
    let acts = vec![
        Act::Refuse,
        Act::Cut,
        Act::Write(Vec::new()),
        Act::Write(b"HTTP/1.1 200 X\r\ncontent-le".to_vec()),
        Act::Write(b"HTTP/1.1 200 X\r\ncontent-length: 40\r\n\r\n{\"status\":".to_vec()),
        Act::Write(b"\x16\x03\x01 no HTTP at all \xff".to_vec()),
        reply("500", "", "oops"),
        reply("429", "", ""),
        ok(r#"{"status":"done","said":"at last"}"#),
    ];
    let mut config = config();
    config.limits.back_off_max_s = 2.0;
    let (webhook, line) = webhook_with(config, acts);
    let order = samples::order(samples::restart("service/api"));
    let answer = webhook.carry_out(&order, &About::default()).await;
    assert_eq!(answer, done("at last"));
    let heard = line.heard();
    assert_eq!(heard.len(), 7);
    for again in &heard[1..] {
        assert_eq!(again.header("webhook-id"), heard[0].header("webhook-id"));
        assert_eq!(again.body, heard[0].body);
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_left_has_failed_and_what_may_have_is_in_doubt() {
    let (answer, _) = carry_out(vec![]).await;
    check(
        &answer,
        "not sent",
        "http://localhost:9000: cannot connect: connection refused; given up after",
    );
    let (answer, _) = carry_out(vec![Act::Blackhole; 9]).await;
    check(&answer, "not sent", "cannot connect in time");
    let (answer, _) = carry_out(vec![reply("429", "", ""); 99]).await;
    check(&answer, "not sent", "answered 429");
    for may_be_done in [
        Act::Cut,
        Act::Write(Vec::new()),
        Act::Stall(Vec::new()),
        reply("502", "", ""),
    ] {
        let (answer, _) = carry_out(vec![may_be_done.clone()]).await;
        check(&answer, "in doubt", "given up after");
        // A refusal of the repetition says nothing of the first.
        for refusal in ["409", "400", "404", "301"] {
            let (answer, _) = carry_out(vec![may_be_done.clone(), reply(refusal, "", "")]).await;
            check(
                &answer,
                "in doubt",
                &format!("answered {refusal}").replace("answered 409", "409"),
            );
        }
        // A receiver that says so knows.
        let said = ok(r#"{"status":"failed","said":"it did not come to it"}"#);
        let (answer, _) = carry_out(vec![may_be_done, said]).await;
        check(&answer, "failed", "it did not come to it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_receiver_takes_no_more_than_the_time_of_the_order() {
    let stall = Act::Stall(b"HTTP/1.1 200 X\r\ncontent-length: 10\r\n\r\n{".to_vec());
    for act in [Act::Stall(Vec::new()), stall, Act::Blackhole] {
        let start = Instant::now();
        let (answer, _) = carry_out(vec![act; 99]).await;
        assert!(!matches!(answer, Answer::Done { .. }));
        let took_s = start.elapsed().as_secs_f64();
        assert!((30.0..=60.1).contains(&took_s), "{took_s} s");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_up_to_a_bound() {
    let wait = |header: &str| reply("429", header, "");
    let mut config = config();
    config.limits.retry_after_max_s = 20.0;
    let acts = vec![
        wait("retry-after: 7\r\n"),
        wait("retry-after: 86400\r\n"),
        reply("503", "retry-after: Thu, 26 Nov 2026 12:00:09 GMT\r\n", ""),
        ok(""),
    ];
    let (webhook, line) = webhook_with(config, acts);
    let order = samples::order(samples::restart("service/api"));
    check(
        &webhook.carry_out(&order, &About::default()).await,
        "done",
        "200",
    );
    let at: Vec<_> = line
        .heard()
        .iter()
        .map(|heard| heard.at.as_secs())
        .collect();
    // The clock of this test stands at noon; the date is 9 s after it.
    assert_eq!(at, [0, 7, 27, 36]);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_orders_are_under_way_at_once() {
    let mut config = config();
    config.limits.at_once = 2;
    let (webhook, line) = webhook_with(config, vec![Act::Stall(Vec::new()); 2]);
    let webhook = Arc::new(webhook);
    let mut order = samples::order(samples::restart("service/api"));
    order.timeout_s = 10.0;
    let orders = (0..3).map(|i| {
        let webhook = Arc::clone(&webhook);
        let mut order = order.clone();
        order.key = format!("p{i}-0-do");
        // The last comes to its end before there is a place.
        order.timeout_s -= if i == 2 { 1.0 } else { 0.0 };
        tokio::spawn(async move { webhook.carry_out(&order, &About::default()).await })
    });
    let mut answers = Vec::new();
    for order in orders.collect::<Vec<_>>() {
        answers.push(order.await.unwrap());
    }
    check(&answers[0], "in doubt", "no answer came in time");
    check(&answers[1], "in doubt", "no answer came in time");
    check(&answers[2], "not sent", "2 orders were under way");
    assert_eq!(line.heard().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_held_nothing_goes_out_and_what_may_have_gone_is_asked_about() {
    let braked = Some("the brake is engaged by olga");
    let order = samples::order(samples::restart("service/api"));
    let (held, line) = webhook(vec![ok("")]);
    held.hold(braked);
    let answer = held.carry_out(&order, &About::default()).await;
    check(&answer, "not sent", "the brake is engaged by olga");
    assert_eq!(line.heard().len(), 0);
    held.hold(None);
    let answer = held.carry_out(&order, &About::default()).await;
    check(&answer, "done", "200");
    // Held between two attempts: of the first nobody heard, or somebody may have.
    for (first, kind, n_heard) in [
        (Act::Blackhole, "not sent", 0),
        (reply("502", "", ""), "done", 2),
    ] {
        let (webhook, line) = webhook(vec![first, ok("")]);
        let about = About::default();
        let hold = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            webhook.hold(braked);
        };
        let (answer, ()) = tokio::join!(webhook.carry_out(&order, &about), hold);
        check(&answer, kind, "");
        let heard = line.heard();
        assert_eq!(heard.len(), n_heard, "{kind}");
        // The second is a question.
        assert!(heard.windows(2).all(|pair| pair[0].body != pair[1].body));
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_does_not_answer_is_left_alone_for_a_while() {
    let (webhook, line) = webhook(vec![]);
    let mut order = samples::order(samples::restart("service/api"));
    assert_eq!(webhook.available(), Ok(()));
    check(
        &webhook.carry_out(&order, &About::default()).await,
        "not sent",
        "cannot connect",
    );
    let why = webhook.available().unwrap_err();
    assert!(
        why.starts_with("http://localhost:9000 is not sent to: its last"),
        "{why}"
    );
    let answer = webhook.carry_out(&order, &About::default()).await;
    check(&answer, "not sent", "is not sent to");
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(webhook.available(), Ok(()));
    // One more failure, and it rests again.
    order.timeout_s = 0.1;
    check(
        &webhook.carry_out(&order, &About::default()).await,
        "not sent",
        "cannot connect",
    );
    webhook.available().unwrap_err();
    assert_eq!(line.heard().len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_comes_back_is_taken(
        answers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
        is_headed in any::<bool>(),
        stalls in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let acts = answers.into_iter().map(|bytes| {
            let head: &[u8] = if is_headed { b"HTTP/1.1 200 X\r\n" } else { b"" };
            let bytes = [head, &bytes].concat();
            if stalls { Act::Stall(bytes) } else { Act::Write(bytes) }
        });
        let (answer, _) = runtime.block_on(carry_out(acts.collect()));
        // It was sent: whatever came, it is not said that nothing was changed. (Bytes that happen to make an answer of 200
        // without a body say that it is done.)
        prop_assert!(!matches!(answer, Answer::Failed { .. } | Answer::NotSent { .. }), "{:?}", answer);
    }
}
