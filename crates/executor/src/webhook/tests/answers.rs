//! What receivers say, and what is made of it.

use super::line::{ok, reply};
use super::*;

#[tokio::test(start_paused = true)]
async fn an_order_is_signed_and_its_answer_is_told() {
    let (answer, line) = carry_out(vec![ok(r#"{"status":"done","said":"5 replicas now"}"#)]).await;
    assert_eq!(answer, done("5 replicas now"));
    let heard = &line.heard()[0];
    assert!(
        heard.head.starts_with("POST /hook HTTP/1.1\r\n"),
        "{}",
        heard.head
    );
    assert_eq!(heard.header("host"), "localhost:9000");
    assert_eq!(heard.header("content-type"), "application/json");
    assert_eq!(heard.header("webhook-id"), "p17-0-do");
    assert_eq!(heard.header("webhook-timestamp"), "1795694400");
    let signature = Signature {
        id: "p17-0-do",
        timestamp: "1795694400",
        body: &heard.body,
    };
    let header = heard.header("webhook-signature");
    assert_eq!(header.split(' ').count(), 2);
    for known in ["a", "b"] {
        assert!(signature.is_in(header, &[secret(known)]));
    }
    assert!(!signature.is_in(header, &[secret("c")]));
}

#[tokio::test(start_paused = true)]
async fn what_the_receiver_says_is_what_is_answered() {
    let (answer, _) = carry_out(vec![ok("")]).await;
    check(&answer, "done", "answered 200");
    let (answer, _) = carry_out(vec![ok(r#"{"status":"failed","said":"no quota"}"#)]).await;
    assert_eq!(
        answer,
        Answer::Failed {
            said: "no quota".into()
        }
    );
    let (answer, _) = carry_out(vec![ok(r#"{"status":"in_doubt","said":"the API hung"}"#)]).await;
    check(&answer, "in doubt", "the API hung");
    let (answer, _) = carry_out(vec![reply("409", "", "7 was seen")]).await;
    check(
        &answer,
        "failed",
        "a higher fence was seen there: answered 409: 7 was seen",
    );
    let (answer, line) = carry_out(vec![
        reply("302", "location: http://169.254.169.254/\r\n", ""),
        ok(""),
    ])
    .await;
    check(&answer, "failed", "redirects are not followed");
    assert_eq!(line.n_left(), 1);
    let (answer, _) = carry_out(vec![reply("404", "", "nothing here")]).await;
    check(&answer, "failed", "answered 404: nothing here");
}

#[tokio::test(start_paused = true)]
async fn a_success_that_cannot_be_read_is_in_doubt() {
    let (answer, _) = carry_out(vec![ok("<html>welcome</html>")]).await;
    check(
        &answer,
        "in doubt",
        "with what is no answer: <html>welcome</html>",
    );
    let (answer, _) = carry_out(vec![ok(&"x".repeat(70_000))]).await;
    check(&answer, "in doubt", "with more than 65536 bytes");
    let endless = "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
        + &format!("ffff\r\n{}\r\n", "y".repeat(0xffff)).repeat(4);
    let (answer, _) = carry_out(vec![Act::Stall(endless.into_bytes())]).await;
    check(&answer, "in doubt", "with more than 65536 bytes");
}

#[tokio::test(start_paused = true)]
async fn an_accepted_order_is_asked_about_until_it_is_done() {
    let later = reply("202", "retry-after: 5\r\n", "");
    let acts = vec![
        later.clone(),
        reply("202", "", ""),
        reply("503", "", ""),
        Act::Refuse,
        ok(r#"{"status":"done"}"#),
    ];
    let (answer, line) = carry_out(acts).await;
    check(&answer, "done", "answered done");
    let heard = line.heard();
    let asks: Vec<_> = heard.iter().map(line::Heard::is_ask).collect();
    assert_eq!(asks, [false, true, true, true]);
    assert_eq!([heard[1].at.as_secs(), heard[2].at.as_secs()], [5, 7]);
    assert!(
        heard
            .iter()
            .all(|heard| heard.header("webhook-id") == "p17-0-do")
    );
    for heard in &heard {
        let signature = Signature {
            id: "p17-0-do",
            timestamp: heard.header("webhook-timestamp"),
            body: &heard.body,
        };
        assert!(signature.is_in(heard.header("webhook-signature"), &[secret("a")]));
    }
}

#[tokio::test(start_paused = true)]
async fn an_accepted_order_that_nobody_tells_of_is_in_doubt() {
    let (answer, line) = carry_out(vec![reply("202", "", ""); 100]).await;
    check(&answer, "in doubt", "accepted it, and has not said");
    // Every 2 s of 60.
    assert_eq!(line.heard().len(), 30);
    let (answer, _) = carry_out(vec![reply("202", "", ""), reply("404", "", "")]).await;
    check(&answer, "in doubt", "answered 404");
    let (answer, _) = carry_out(vec![
        reply("202", "", ""),
        ok(r#"{"status":"failed","said":"refused"}"#),
    ])
    .await;
    check(&answer, "failed", "refused");
}

#[tokio::test(start_paused = true)]
async fn a_question_after_a_crash() {
    let order = samples::order(samples::restart("service/api"));
    let ask = async |acts| {
        let (webhook, line) = webhook(acts);
        let answer = webhook.ask(&order).await;
        assert!(line.heard().iter().all(line::Heard::is_ask));
        answer
    };
    assert_eq!(
        ask(vec![ok(r#"{"status":"done","said":"x"}"#)]).await,
        Some(done("x"))
    );
    let never = ask(vec![reply("404", "", "")]).await.unwrap();
    check(&never, "failed", "never received order p17-0-do");
    assert_eq!(ask(vec![reply("403", "", "")]).await, None);
    assert_eq!(ask(vec![ok("hello")]).await, None);
    assert_eq!(ask(vec![Act::Cut; 50]).await, None);
    assert_eq!(ask(vec![]).await, None);
    check(
        &ask(vec![reply("202", "", ""); 50]).await.unwrap(),
        "in doubt",
        "accepted it",
    );
    let acts = vec![reply("202", "", ""), reply("500", "", ""), ok("")];
    check(&ask(acts).await.unwrap(), "done", "answered 200");
}

#[tokio::test(start_paused = true)]
async fn what_the_receiver_is_not_there_for_is_not_sent() {
    let mut config = config();
    config.actions = vec!["scale".into(), "restart".into()];
    let (webhook, line) = webhook_with(config, vec![ok("")]);
    let order = samples::order(samples::actions("host/a", "x").remove(6));
    let answer = webhook.carry_out(&order, &About::default()).await;
    check(
        &answer,
        "failed",
        "not configured for clear_cache, only for scale, restart",
    );
    let mut order = samples::order(samples::restart("service/api"));
    order.key = "p1.0".into();
    check(
        &webhook.carry_out(&order, &About::default()).await,
        "failed",
        "the key",
    );
    assert_eq!(webhook.ask(&order).await, None);
    assert_eq!(line.n_left(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_is_not_sent() {
    let (webhook, line) = webhook(vec![ok(""), ok("")]);
    let mut order = samples::order(samples::restart("service/api"));
    check(
        &webhook.carry_out(&order, &About::default()).await,
        "done",
        "200",
    );
    order.fence -= 1;
    check(
        &webhook.carry_out(&order, &About::default()).await,
        "failed",
        "its lease is lost",
    );
    assert_eq!(line.n_left(), 1);
}
