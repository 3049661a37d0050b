use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::super::quote::tests::{outside_quotes, read_commands};
use super::*;
use crate::samples;

fn attributes(text: &str) -> BTreeMap<String, String> {
    let pairs = text
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Each action on a target: commands and queries, or the words.
fn written(target: &str, text: &str, known: &str, is_words: bool) -> String {
    let own = samples::id(target);
    let actions = samples::actions(target, text);
    let all = actions
        .iter()
        .map(|action| Manual::of(action, &own, &attributes(known)));
    let wanted = all.filter(|manual| (manual.language == Language::Words) == is_words);
    wanted.map(|manual| manual.text + "\n").collect()
}

fn check(action: &Action, known: &str, expected: &str) {
    let manual = Manual::of(action, action.target(), &attributes(known));
    assert_eq!(manual.text, expected);
}

fn check_commands(target: &str, text: &str, known: &str, expected: Expect) {
    expected.assert_eq(&written(target, text, known, false));
}

#[test]
fn what_is_not_known_is_said_in_words() {
    let all = written("service/api", "x", "", true);
    assert_eq!(all.lines().count(), crate::ACTIONS.len());
    expect![[r#"
        stop service/api in good order, wait 30 s, and start it again
        start replicas of service/api, so that there are 5 instead of 3
        set the limit x of service/api to 2.5
        set x of service/api to "x", and make it read its configuration again
        take service/api out of the balance, and wait until what it does is done, for 90 s at most
        put service/api back into the balance
        make service/api drop what it can compute again
        on service/api, remove files that match "x" and were not written for 24 h
        rotate and compress the logs on service/api
        grow service/api to 14 GiB (15000000000 bytes), then the file system on it
        copy service/api aside, and check that the copy can be read
        stop what writes to service/api, and put back the copy that was made before
        create an index on x(x, x) of service/api, without locking the table
        drop the index on x(x, x) of service/api, without locking the table
        cancel the queries of service/api that have run for more than 30 s; their sessions stay
        end the sessions of service/api that have been idle for more than 10 min
        collect dead rows and statistics of x of service/api
        get a new certificate for service/api from its issuer, keep the old one beside it, and put the new one in place
        put back the certificate that was kept of service/api
        make what serves service/api read its configuration again
        let the firewall admit nobody to service/api but for administration
        take back the rule of the firewall that shuts service/api off
        bring x on service/api to x, and start again what uses it
        keep service/api beside itself, and make it what is declared
        put back the file that was kept of service/api
        make what stands before service/api refuse 25 % of the requests with 503, those of least priority first
        make what stands before service/api refuse none any more
        open the circuit breaker of service/api towards instance/x
        close the circuit breaker of service/api towards instance/x
        make instance/x serve service/api instead of instance/x
        hold back batches, backups and builds on service/api
        let batches, backups and builds on service/api go on
        write down x of service/api before anything changes it
        tell x about service/api: x
    "#]].assert_eq(&all);
}

#[test]
fn what_keeps_it_running_decides_the_command() {
    let restart = samples::restart("service/api");
    let scale = samples::scale("service/api", 3, 5);
    check(&restart, "manager=systemd", "systemctl restart api.service");
    check(
        &restart,
        "manager=systemd unit=web.target.service",
        "systemctl restart web.target.service",
    );
    check(&restart, "manager=docker", "docker restart api");
    check(
        &restart,
        "manager=kubernetes namespace=shop",
        "kubectl -n shop rollout restart deployment/api",
    );
    check(
        &restart,
        "",
        "stop service/api in good order and start it again",
    );
    check(
        &scale,
        "manager=kubernetes namespace=shop",
        "kubectl -n shop scale deployment/api --replicas=5",
    );
    let of_shop = samples::scale("service/shop/api", 3, 5);
    check(
        &of_shop,
        "manager=k8s workload=statefulset",
        "kubectl -n shop scale statefulset/api --replicas=5",
    );
    check(
        &samples::restart("instance/api-1"),
        "manager=kubernetes",
        "kubectl delete pod/api-1",
    );
}

#[test]
fn every_action_on_a_service_of_kubernetes() {
    check_commands(
        "service/shop/api",
        "work_mem",
        "manager=kubernetes",
        expect![[r#"
            kubectl -n shop rollout restart deployment/api
            kubectl -n shop scale deployment/api --replicas=5
            cmctl renew --namespace=shop api
            kubectl -n shop exec deployment/api -- kill -HUP 1
        "#]],
    );
}

#[test]
fn every_action_on_a_database() {
    check_commands(
        "database/orders",
        "shop.items",
        "engine=postgres",
        expect![[r#"
            ALTER SYSTEM SET "shop.items" = 'shop.items'; SELECT pg_reload_conf();
            CREATE INDEX CONCURRENTLY IF NOT EXISTS "forestall_shop_items_shop_items_shop_item_6e44fe2308af41a9" ON "shop"."items" ("shop.items", "shop.items");
            DROP INDEX CONCURRENTLY IF EXISTS "shop"."forestall_shop_items_shop_items_shop_item_6e44fe2308af41a9";
            SELECT pid, pg_cancel_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND now() - query_start > make_interval(secs => 30);
            SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle%' AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND now() - state_change > make_interval(secs => 600);
            VACUUM (ANALYZE) "shop"."items";
            SELECT pg_reload_conf();
        "#]],
    );
}

#[test]
fn every_action_on_a_volume() {
    check_commands(
        "volume/web-1:/var",
        "tmp/*.log",
        "device=/dev/vg/var package_manager=apt",
        expect![[r#"
            cd /var && find . -xdev -type f -path './tmp/*.log' -mmin +1440 -print -delete
            logrotate --force /etc/logrotate.conf && journalctl --rotate
            lvextend --resizefs --size=15000000000b /dev/vg/var
            lvcreate --snapshot --extents=20%ORIGIN --name=forestall-kept /dev/vg/var
        "#]],
    );
}

#[test]
fn what_a_command_would_take_for_more_than_a_name_is_left_to_people() {
    let mut restart = samples::restart("service/*");
    check(
        &restart,
        "manager=systemd",
        "stop service/* in good order and start it again",
    );
    restart = samples::restart("service/--user");
    check(
        &restart,
        "manager=systemd",
        "systemctl restart -- --user.service",
    );
    check(&restart, "manager=docker", "docker restart -- --user");
    let package = |package: &str| Action::SetPackage {
        target: samples::id("host/a"),
        package: package.to_owned(),
        from: "1".to_owned(),
        to: "1.2-3".to_owned(),
    };
    check(
        &package("zlib"),
        "package_manager=dnf",
        "dnf install zlib-1.2-3",
    );
    for hostile in ["https://evil/x.rpm?", "./x.deb", "zlib-", "*", "-y"] {
        let manual = Manual::of(
            &package(hostile),
            &samples::id("host/a"),
            &attributes("package_manager=dnf"),
        );
        assert_eq!(manual.language, Language::Words, "{hostile}");
    }
    let remove = |pattern: &str| Action::RemoveFiles {
        target: samples::id("volume/a:/var"),
        pattern: pattern.to_owned(),
        older_than_s: 60.0,
    };
    for hostile in ["../etc/*", "/etc/*", "a/../../b", "", "a//b"] {
        let manual = Manual::of(
            &remove(hostile),
            &samples::id("volume/a:/var"),
            &BTreeMap::new(),
        );
        assert_eq!(manual.language, Language::Words, "{hostile}");
    }
}

#[test]
fn what_is_known_of_the_entity_is_not_taken_for_that_of_another() {
    let known = attributes("manager=systemd unit=web.service");
    let manual = Manual::of(
        &samples::restart("service/api"),
        &samples::id("service/web"),
        &known,
    );
    assert_eq!(manual.text, "systemctl restart api.service");
}

#[test]
fn a_command_too_long_to_be_read_is_not_cut() {
    let action = Action::CreateIndex {
        target: samples::id("database/a"),
        table: "t".to_owned(),
        columns: vec!["c".repeat(3_000); 3],
    };
    let manual = Manual::of(&action, action.target(), &BTreeMap::new());
    assert_eq!(manual.language, Language::Words);
    assert!(
        manual.text.contains("too many to be read"),
        "{}",
        manual.text
    );
}

/// Programs that commands begin with.
const PROGRAMS: [&str; 22] = [
    "apk",
    "apt-get",
    "aws",
    "cd",
    "certbot",
    "cmctl",
    "cp",
    "dnf",
    "docker",
    "eu-stack",
    "find",
    "jcmd",
    "journalctl",
    "kubectl",
    "logrotate",
    "lvcreate",
    "lvextend",
    "mysqlcheck",
    "patronictl",
    "sleep",
    "sysctl",
    "systemctl",
];

/// Whether no text in it is more than one word, name or value.
fn is_sound(manual: &Manual) -> bool {
    match manual.language {
        Language::Shell => read_commands(&manual.text).is_some_and(|commands| {
            commands.iter().all(|words| {
                let program = words.first().map_or("", String::as_str);
                PROGRAMS.contains(&program) || ["sync", "zypper"].contains(&program)
            })
        }),
        Language::Sql => outside_quotes(&manual.text).is_some_and(|outside| {
            !outside.contains("DROP TABLE") && outside.matches(';').count() <= 2
        }),
        Language::Words => true,
    }
}

proptest! {
    #[test]
    fn no_name_breaks_out(
        name in r#"(\PC|['"`\\$;&|<>* -]){1,24}"#,
        kind in 0..remedy::Kind::ALL.len(),
        known in prop::collection::vec((0..18_usize, r#"(\PC|['"`\\$;&|<>* /-]){0,12}"#), 0..6),
        manager in 0..7_usize,
        engine in 0..4_usize,
    ) {
        const NAMES: [&str; 18] = [
            "namespace", "unit", "device", "volume_id", "mountpoint", "path", "declared", "pvc", "cronjob",
            "timer", "cluster", "cert_name", "package_manager", "workload", "replicas", "pid", "runtime", "x",
        ];
        const MANAGERS: [&str; 7] =
            ["", "systemd", "kubernetes", "docker", "certbot", "patroni", "cert-manager"];
        const ENGINES: [&str; 4] = ["", "postgres", "mysql", "oracle"];
        let target = EntityId::new(remedy::Kind::ALL[kind], &name);
        prop_assume!(target.is_ok());
        let target = target.unwrap();
        let known = known.into_iter().map(|(i, text)| (NAMES[i].to_owned(), text));
        let mut known: BTreeMap<_, _> = known.collect();
        known.insert("manager".to_owned(), MANAGERS[manager].to_owned());
        known.insert("engine".to_owned(), ENGINES[engine].to_owned());
        let hostile = format!("{name}'; DROP TABLE x; --\n");
        for action in samples::actions(target.as_str(), &hostile) {
            let manual = Manual::of(&action, &target, &known);
            prop_assert!(is_sound(&manual), "{:?}", manual);
            prop_assert!(!manual.text.chars().any(super::super::quote::is_misleading), "{:?}", manual);
            prop_assert!(manual.text.len() <= MAX_MANUAL_BYTES);
        }
    }
}
