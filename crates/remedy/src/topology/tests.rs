//! A shop, as it would be declared and seen.

use serde_json::json;
use series::Timestamp;

use super::*;
use crate::{EntityId, Surroundings};

const AT: Timestamp = Timestamp::from_millis(0);

fn id(text: &str) -> EntityId {
    text.parse().unwrap()
}

fn link(from: &str, relation: Relation, to: &str) -> Link {
    Link::new(id(from), relation, id(to))
}

/// web calls api, api calls pay and keeps orders in a database, pay calls api back; two hosts.
fn shop() -> Topology {
    let declared = json!({
        "services": [
            {"name": "web", "depends_on": ["service/api"], "tier": 2},
            {"name": "api", "owner": "shop", "instances": ["api-1", "api-2"],
             "depends_on": ["database/orders", "service/pay"], "uses": ["certificate/shop.example:443"],
             "attributes": {"replicas_max": "6", "zone": "of the service"}},
            {"name": "pay", "owner": "money", "tier": 1, "instances": ["pay-1"], "depends_on": ["service/api"]},
        ],
        "instances": [
            {"name": "api-1", "runs_on": ["web-1"], "attributes": {"unit": "api.service"}},
            {"name": "api-2", "runs_on": ["web-2"]},
            {"name": "pay-1", "runs_on": ["web-2"]},
        ],
        "hosts": [
            {"name": "web-1", "owner": "platform", "attributes": {"zone": "a", "growable": "true"}},
            {"name": "web-2"}, {"name": "db-1", "tier": 4},
        ],
        "databases": [{"name": "orders", "runs_on": ["db-1"], "stores_on": ["db-1:/data"]}],
        "volumes": [{"name": "db-1:/data"}, {"name": "web-1:/"}],
        "certificates": [{"name": "shop.example:443"}],
    });
    let declared: Declared = serde_json::from_value(declared).unwrap();
    let topology = Topology::from_declared(&declared).unwrap();
    assert_eq!(topology.undeclared().count(), 0);
    topology
}

fn told(ids: &[EntityId]) -> String {
    ids.iter()
        .map(EntityId::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn trouble_of_a_volume_travels_to_all_that_rely_on_it() {
    let around = shop().surroundings(&id("volume/db-1:/data"));
    assert_eq!(
        told(&around.affected),
        "service/api service/pay service/web"
    );
    assert_eq!((around.n_affected, around.tier), (3, 1));
    let paths: Vec<_> = around.paths.iter().map(|path| told(path)).collect();
    assert_eq!(
        paths,
        [
            "volume/db-1:/data database/orders service/api",
            "volume/db-1:/data database/orders service/api service/pay",
            "volume/db-1:/data database/orders service/api service/web",
        ]
    );
    assert_eq!(around.owner.as_deref(), Some("shop"));
    assert_eq!((around.service, around.host), (None, Some(id("host/db-1"))));
}

#[test]
fn a_volume_that_nobody_claims_is_everybodys_on_its_host() {
    let around = shop().surroundings(&id("volume/web-1:/"));
    assert_eq!(
        told(&around.affected),
        "service/api service/pay service/web"
    );
    assert_eq!(
        told(&around.paths[0]),
        "volume/web-1:/ instance/api-1 service/api"
    );
    let causes = shop().causes(&id("instance/api-1"));
    assert!(causes.contains(&(id("volume/web-1:/"), 1)), "{causes:?}");
}

#[test]
fn an_instance_has_what_its_service_and_host_have() {
    let around = shop().surroundings(&id("instance/api-1"));
    let all = around.attributes.iter();
    let all: Vec<_> = all.map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        all,
        [
            "growable=true",
            "replicas_max=6",
            "unit=api.service",
            "zone=of the service"
        ]
    );
    assert_eq!(around.service, Some(id("service/api")));
    assert_eq!(around.host, Some(id("host/web-1")));
    assert_eq!(
        (around.replicas, around.owner.as_deref()),
        (2, Some("shop"))
    );
    assert_eq!(told(&around.depends_on), "service/pay database/orders");
}

#[test]
fn a_service_in_a_cycle_does_not_affect_itself() {
    let around = shop().surroundings(&id("service/api"));
    assert_eq!(told(&around.affected), "service/pay service/web");
    assert_eq!((around.replicas, around.tier), (2, 1));
}

#[test]
fn a_certificate_belongs_to_its_only_user() {
    let around = shop().surroundings(&id("certificate/shop.example:443"));
    assert_eq!(around.service, Some(id("service/api")));
    assert_eq!((around.owner.as_deref(), around.host), (Some("shop"), None));
    // On two hosts it is on neither.
    let mut topology = Topology::new(Limits::default());
    for host in ["host/b", "host/a"] {
        let links = [
            link("service/api", Relation::RunsOn, host),
            link("service/api", Relation::Uses, "package/serde"),
        ];
        topology.learn(&id("service/api"), &links, AT);
        let is_one = topology.surroundings(&id("package/serde")).host.is_some();
        assert_eq!(is_one, host == "host/b");
    }
}

#[test]
fn what_is_not_known_is_of_middle_tier() {
    let around = shop().surroundings(&id("host/elsewhere"));
    let expected = Surroundings {
        host: Some(id("host/elsewhere")),
        tier: crate::UNKNOWN_TIER,
        ..Surroundings::default()
    };
    assert_eq!(around, expected);
    assert_eq!(shop().surroundings(&id("host/db-1")).tier, 1);
    assert_eq!(shop().surroundings(&id("instance/elsewhere")).replicas, 0);
}

#[test]
fn causes_are_what_an_entity_relies_on_nearest_first() {
    let causes = shop().causes(&id("instance/pay-1"));
    let causes: Vec<_> = causes.iter().map(|(id, n)| format!("{n} {id}")).collect();
    expect_test::expect![[r#"
        1 service/api
        1 host/web-2
        2 service/pay
        2 instance/api-1
        2 instance/api-2
        2 database/orders
        2 certificate/shop.example:443
        3 host/db-1
        3 host/web-1
        3 volume/db-1:/data
        3 volume/web-1:/"#]]
    .assert_eq(&causes.join("\n"));
    assert_eq!(shop().causes(&id("host/elsewhere")), []);
}

#[test]
fn entities_are_related_within_so_many_links() {
    let shop = shop();
    let check = |a, b, hops, is| assert_eq!(shop.is_related(&id(a), &id(b), hops), is, "{a} {b}");
    check("instance/api-1", "instance/api-1", 0, true);
    check("instance/api-1", "host/web-1", 1, true);
    check("instance/api-1", "instance/api-2", 1, false);
    check("instance/api-1", "instance/api-2", 2, true);
    check("instance/api-1", "host/elsewhere", 9, false);
}

#[test]
fn a_link_that_moves_is_moved_and_what_is_declared_stays() {
    let mut shop = shop();
    let moved = |to| [link("instance/pay-2", Relation::RunsOn, to)];
    shop.learn(&id("instance/pay-2"), &moved("host/web-1"), AT);
    shop.learn(&id("instance/pay-2"), &moved("host/web-3"), AT);
    assert_eq!(shop.links(&id("instance/pay-2")), moved("host/web-3"));
    let elsewhere = [link("instance/api-1", Relation::RunsOn, "host/web-9")];
    shop.learn(&id("instance/api-1"), &elsewhere, AT);
    let around = shop.surroundings(&id("instance/api-1"));
    assert_eq!(around.host, Some(id("host/web-1")));
    assert_eq!(shop.counts().refused_links, 1);
}

#[test]
fn what_was_not_seen_for_longest_is_forgotten_first() {
    let mut topology = Topology::new(Limits {
        learned: 3,
        links: 2,
    });
    let at = Timestamp::from_millis;
    let member = |i: i64| {
        [link(
            &format!("instance/{i}"),
            Relation::PartOf,
            "service/api",
        )]
    };
    for i in 0..9 {
        topology.learn(&id(&format!("instance/{i}")), &member(i), at(i));
    }
    let left: Vec<_> = topology.entities().map(|it| it.id.to_string()).collect();
    assert_eq!(left, ["service/api", "instance/7", "instance/8"]);
    let counts = topology.counts();
    assert_eq!((counts.learned, counts.links, counts.forgotten), (3, 2, 7));
    assert_eq!(topology.forget_before(at(8)), 1);
    assert_eq!(topology.surroundings(&id("service/api")).replicas, 1);
    // Of links that are too many, the one to what was not seen for longest gives way.
    let mut topology = Topology::new(Limits {
        learned: 99,
        links: 2,
    });
    for i in 0..4 {
        topology.learn(&id(&format!("instance/{i}")), &member(i), at(i));
    }
    let links = topology.links(&id("service/api"));
    assert_eq!(links, [member(2), member(3)].concat());
    let mut none = Topology::new(Limits {
        learned: 0,
        links: 0,
    });
    none.learn(&id("instance/1"), &member(1), AT);
    assert_eq!(none.counts().entities, 0);
}

#[test]
fn a_typing_error_that_is_seen_is_none() {
    let declared = json!({"services": [{"name": "api", "depends_on": ["database/orders"]}]});
    let declared: Declared = serde_json::from_value(declared).unwrap();
    let mut topology = Topology::from_declared(&declared).unwrap();
    assert_eq!(topology.undeclared().count(), 1);
    topology.learn(&id("database/orders"), &[], AT);
    assert_eq!(topology.undeclared().count(), 0);
    assert_eq!(topology.forget_before(Timestamp::from_micros(i64::MAX)), 0);
}

#[test]
fn names_tell_of_hosts_and_targets() {
    let mut shop = shop();
    shop.learn(&id("package/host/web-1:libc6:amd64"), &[], AT);
    shop.learn(&id("package/api-2:serde"), &[], AT);
    shop.learn(&id("volume/web-2:/tmp"), &[], AT);
    let host = |of: &str| shop.surroundings(&id(of)).host.map(|id| id.to_string());
    assert_eq!(
        host("package/host/web-1:libc6:amd64").as_deref(),
        Some("host/web-1")
    );
    assert_eq!(host("package/api-2:serde").as_deref(), Some("host/web-2"));
    assert_eq!(host("volume/web-2:/tmp").as_deref(), Some("host/web-2"));
    let around = shop.surroundings(&id("package/api-2:serde"));
    assert_eq!(around.service, Some(id("service/api")));
}

#[test]
fn what_is_listed_is_bounded_and_what_is_counted_is_not() {
    let mut topology = Topology::new(Limits::default());
    for i in 0..100 {
        let service = format!("service/{i:02}");
        let link = link(&service, Relation::DependsOn, "database/orders");
        topology.learn(&id(&service), &[link], AT);
    }
    let around = topology.surroundings(&id("database/orders"));
    assert_eq!((around.affected.len(), around.n_affected), (32, 100));
    assert_eq!(around.paths.len(), 16);
    assert_eq!(around.affected[31], id("service/31"));
    // A chain is followed as far as the bound.
    for i in 0..99 {
        let (caller, callee) = (format!("service/c{}", i + 1), format!("service/c{i}"));
        let link = link(&caller, Relation::DependsOn, &callee);
        topology.learn(&id(&caller), &[link], AT);
    }
    let around = topology.surroundings(&id("service/c0"));
    assert_eq!(around.n_affected, MAX_DEPTH);
    let causes = topology.causes(&id("service/c99"));
    assert_eq!(causes.last(), Some(&(id("service/c95"), MAX_CAUSE_HOPS)));
}
