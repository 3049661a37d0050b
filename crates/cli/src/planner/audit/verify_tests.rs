use expect_test::expect;
use remedy::audit::Entry;
use remedy::decision::DecisionId;
use remedy::issue::IssueId;
use remedy::record::{ActionRecord, DecisionRecord, Record};
use series::Timestamp;

use super::super::chain::tests::entries;
use super::*;
use crate::page::written;

fn lines(entries: &[Entry]) -> String {
    let lines = entries
        .iter()
        .map(|entry| serde_json::to_string(entry).unwrap() + "\n");
    lines.collect()
}

fn of_lines(text: &str, kept: Vec<Kept>) -> Report {
    let mut report = Report {
        place: "audit.jsonl".to_owned(),
        chain: Chain::new(kept.clone()),
        heads: kept,
        ..Report::default()
    };
    match report.read_lines(text.as_bytes()) {
        Ok(()) => {}
        Err(Stop::Flaw(flaw)) => report.flaw = Some(flaw),
        Err(Stop::Unread(error)) => panic!("{error:#}"),
    }
    report
}

#[test]
fn an_export_says_how_far_it_holds() {
    let all = entries(3);
    let kept = Kept {
        place: "audit.head".to_owned(),
        head: Head {
            seq: 3,
            hash: all[2].hash,
        },
    };
    let report = of_lines(&lines(&all), vec![kept.clone()]);
    assert_eq!(report.flaw, None);
    let text = written(80, |page| report.write(page));
    expect![[r#"
        audit       audit.jsonl
        entries     3, from 1970-01-01 00:00:01 to 1970-01-01 00:00:03 (UTC)
        held to     entry 3, kept in audit.head
        last hash   ce70f0735d7ddaa2e2b6edcc58af2ac0d0bb37bc69556df12274d935e4619dd9
        verdict     intact
    "#]]
    .assert_eq(&text);
    let flaw = |text: &str| of_lines(text, vec![kept.clone()]).flaw.unwrap();
    assert!(flaw(&lines(&all[..2])).starts_with("the audit was cut after entry 2"));
    assert!(flaw(&lines(&all[1..])).starts_with("entries 1 to 1 are gone"));
    let cut = lines(&all);
    let torn = flaw(&cut[..cut.len() - 20]);
    assert!(torn.starts_with("line 3 is no entry of an audit"), "{torn}");
    let report = of_lines(&lines(&all).replace("i2", "i7"), vec![]);
    let text = written(80, |page| report.write(page));
    assert!(
        text.contains("1 that hold") && text.ends_with("BROKEN\n"),
        "{text}"
    );
}

/// A ledger with a decision, of which the audit tells.
fn with_ledger(change: &str, kept: Option<&str>) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let location = ledger::Location::Sqlite(path.clone());
    let (input, output) = ("{\"a\":1}".to_owned(), "{\"b\":2}".to_owned());
    let record = DecisionRecord {
        id: DecisionId(9),
        issue: IssueId(1),
        at: Timestamp::from_millis(1),
        input_hash: Hash::of(input.as_bytes()),
        output_hash: Hash::of(output.as_bytes()),
        input,
        output: if change == "decision" {
            "{\"b\":3}".to_owned()
        } else {
            output
        },
    };
    let mut head = Head::default();
    let body =
        serde_json::json!({ "input": record.input_hash, "output": record.output_hash }).to_string();
    let at = Timestamp::from_millis(1_000);
    let mut records = vec![Record::Audit(head.append(
        at,
        "forestall",
        "decision.made",
        "d9",
        body.clone(),
    ))];
    records.push(Record::Audit(head.append(
        at,
        "forestall",
        "decision.made",
        "d8",
        body,
    )));
    records.push(Record::Decision(Box::new(record)));
    let target: remedy::EntityId = "service/api".parse().unwrap();
    let key = "p1-0-do-cafe".to_owned();
    let order = serde_json::json!({
        "key": key, "executor": "webhook", "action": { "do": "reload", "target": target },
    });
    let ordered = head.append(at, "forestall", "step.ordered", "p1", order.to_string());
    records.push(Record::Audit(ordered));
    if change != "action" {
        records.push(Record::Action(ActionRecord {
            key,
            target,
            class: remedy::Class::ProcessCrash,
            cause: String::new(),
            plan: remedy::plan::PlanId(1),
            at,
        }));
    }
    if change == "brake" {
        let engaged = head.append(at, "olga", "brake.engaged", "brake", "{}".to_owned());
        records.push(Record::Audit(engaged));
    }
    if let Some(kept) = kept {
        std::fs::write(dir.path().join("audit.head"), kept).unwrap();
    }
    let args = LedgerArgs::of(location.clone());
    block_on(async {
        let ledger = Ledger::open_for_writing(&location).await?;
        ledger.commit(&records).await?;
        ledger.close().await;
        of_ledger(&args, vec![]).await
    })
    .unwrap()
}

#[test]
fn a_ledger_is_held_against_itself_and_its_decisions() {
    let report = with_ledger("", None);
    assert_eq!(
        (report.flaw.as_deref(), report.decisions, report.forgotten),
        (None, 1, 1)
    );
    assert_eq!(report.chain.head().seq, 3);
    let flaw = with_ledger("decision", None).flaw.unwrap();
    assert!(
        flaw.starts_with("what was decided for d9 was changed: the audit says "),
        "{flaw}"
    );
    let kept = format!("7 {}", Hash::default());
    let flaw = with_ledger("", Some(&kept)).flaw.unwrap();
    assert!(
        flaw.starts_with("the audit was cut after entry 3: its head stood at 7, says "),
        "{flaw}"
    );
    assert_eq!(
        with_ledger("action", None).flaw.unwrap(),
        "the action of order p1-0-do-cafe is gone from the ledger, and no limit counts it"
    );
    let flaw = with_ledger("brake", None).flaw.unwrap();
    assert!(
        flaw.starts_with("the audit's last word on the brake"),
        "{flaw}"
    );
}
