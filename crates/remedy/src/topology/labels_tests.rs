//! What each recipe's anchor, and other well known metrics, tell of.

use predict::exhaustion::recipes;
use proptest::prelude::*;
use series::SeriesKey;

use super::*;

/// The entity of a series and its links, one per line, read on the host `here`.
fn told(series: &str) -> String {
    let key: SeriesKey = series.parse().unwrap();
    let (entity, links) = LabelRules::default()
        .entity_of(key.metric(), key.labels(), "here")
        .unwrap();
    let mut text = entity.to_string();
    for Link { from, relation, to } in links {
        let from = if from == entity {
            String::new()
        } else {
            format!("{from} ")
        };
        text += &format!("\n  {from}{} {to}", relation.name());
    }
    text
}

fn check(series: &str, expected: &[&str]) {
    assert_eq!(told(series), expected.join("\n  "), "{series}");
}

#[test]
fn this_host_needs_no_labels() {
    check("node_memory_MemAvailable_bytes", &["host/here"]);
    check("node_cpu_utilization_ratio", &["host/here"]);
    check("node_nf_conntrack_entries", &["host/here"]);
    check(
        r#"node_network_receive_bytes_total{device="eth0"}"#,
        &["host/here"],
    );
    check(
        r#"node_filesystem_avail_bytes{device="/dev/vdb",fstype="ext4",mountpoint="/data"}"#,
        &["volume/here:/data", "runs_on host/here"],
    );
    check(
        r#"process_open_fds{comm="python3",pid="9"}"#,
        &["instance/here:python3", "runs_on host/here"],
    );
    check(
        r#"container_threads{id="/system.slice/api@1.service"}"#,
        &[
            "instance/here:/system.slice/api@1.service",
            "part_of service/api",
            "runs_on host/here",
        ],
    );
    check(
        r#"container_memory_working_set_bytes{id="/"}"#,
        &["host/here"],
    );
    check("upstream_request_duration_seconds_count", &["host/here"]);
    check("pg_up", &["database/here:pg", "runs_on host/here"]);
}

#[test]
fn exporters_of_hosts_are_not_what_they_tell_of() {
    check(
        r#"node_filesystem_files_free{instance="10.0.0.1:9100",job="node-exporter",mountpoint="/",namespace="monitoring",pod="node-exporter-x2x4z"}"#,
        &["volume/10.0.0.1:/", "runs_on host/10.0.0.1"],
    );
    check(
        r#"node_load1{instance="10.0.0.1:9100",node="n1"}"#,
        &["host/n1"],
    );
    check(r#"node_load1{instance="localhost:9100"}"#, &["host/here"]);
    check(
        r#"process_open_fds{instance="web-1:9100",job="node"}"#,
        &["instance/web-1:9100", "runs_on host/web-1"],
    );
}

#[test]
fn a_cluster_tells_of_pods_and_claims() {
    check(
        r#"container_memory_working_set_bytes{container="api",id="/kubepods/1",instance="10.0.0.1:10250",job="kubelet",namespace="shop",node="n1",pod="api-7d9f8b6c54-x2x4z",service="kubelet"}"#,
        &[
            "instance/shop/api-7d9f8b6c54-x2x4z",
            "part_of service/shop/api",
            "runs_on host/n1",
        ],
    );
    check(
        r#"kube_pod_container_status_restarts_total{container="kube-state-metrics",exported_container="db",exported_namespace="shop",exported_pod="db-0",instance="10.1.0.9:8080",job="ksm",namespace="monitoring",pod="ksm-7d9f8b6c54-x2x4z",service="ksm"}"#,
        &["instance/shop/db-0", "part_of service/shop/db"],
    );
    check(
        r#"kubelet_volume_stats_available_bytes{instance="10.0.0.1:10250",namespace="shop",persistentvolumeclaim="data-db-0"}"#,
        &["volume/shop/data-db-0", "runs_on host/10.0.0.1"],
    );
    check(
        r#"kube_pod_spec_volumes_persistentvolumeclaims_info{namespace="shop",persistentvolumeclaim="data-db-0",pod="db-0"}"#,
        &[
            "volume/shop/data-db-0",
            "instance/shop/db-0 part_of service/shop/db",
            "instance/shop/db-0 stores_on volume/shop/data-db-0",
        ],
    );
    check(
        r#"kube_deployment_status_replicas{deployment="api",instance="10.1.0.9:8080",job="ksm",namespace="shop"}"#,
        &["service/shop/api"],
    );
    check(r#"kube_node_status_condition{node="n1"}"#, &["host/n1"]);
}

#[test]
fn instances_are_containers_processes_and_addresses() {
    check(
        r#"container_cpu_usage_seconds_total{container="app"}"#,
        &["instance/app"],
    );
    check(
        r#"container_threads{id="/docker/1",instance="web-1:8080",job="cadvisor",name="api"}"#,
        &["instance/web-1:api", "runs_on host/web-1"],
    );
    check(
        r#"process_virtual_memory_bytes{instance="web-1:8080",job="api"}"#,
        &[
            "instance/web-1:8080",
            "part_of service/api",
            "runs_on host/web-1",
        ],
    );
    check(
        r#"jvm_memory_used_bytes{area="heap",id="G1 Eden",instance="10.1.0.7:8080",namespace="shop",pod="api-7d9f8b6c54-x2x4z",service="api"}"#,
        &[
            "instance/shop/api-7d9f8b6c54-x2x4z",
            "part_of service/shop/api",
        ],
    );
    check(
        r#"haproxy_frontend_current_sessions{instance="[fe80::1]:8404",job="haproxy"}"#,
        &[
            "instance/[fe80::1]:8404",
            "part_of service/haproxy",
            "runs_on host/fe80::1",
        ],
    );
    check(
        r#"http_requests_total{host="web-1",service="api"}"#,
        &[
            "instance/web-1:api",
            "part_of service/api",
            "runs_on host/web-1",
        ],
    );
}

#[test]
fn what_has_no_instance_is_the_service_or_the_host() {
    check(
        r#"http_requests_total{code="200",service="api"}"#,
        &["service/api"],
    );
    check(r#"up{job="api"}"#, &["service/api"]);
    check(r#"mem_used_bytes{host="a",job="agent"}"#, &["host/a"]);
}

#[test]
fn what_is_called_is_depended_on() {
    check(
        r#"http_client_request_duration_seconds_count{server_address="pay",service_name="api"}"#,
        &["service/api", "depends_on service/pay"],
    );
    check(
        r#"upstream_request_duration_seconds_count{instance="web-1:80",upstream="pay.shop.svc.cluster.local:80"}"#,
        &[
            "instance/web-1:80",
            "runs_on host/web-1",
            "depends_on service/shop/pay",
        ],
    );
    check(
        r#"http_requests_total{destination_service_name="api",service="api"}"#,
        &["service/api"],
    );
}

#[test]
fn databases_are_on_servers_and_pools_in_instances() {
    check(
        r#"pg_stat_activity_count{datname="orders",instance="db-1:9187",server="localhost:5432",state="idle"}"#,
        &[
            "database/orders",
            "database/db-1:5432 runs_on host/db-1",
            "depends_on database/db-1:5432",
        ],
    );
    check(
        r#"pg_stat_activity_count{datname="postgres",instance="db-1:9187"}"#,
        &["database/db-1:9187", "runs_on host/db-1"],
    );
    check(
        r#"pg_stat_activity_count{datname="app"}"#,
        &["database/app", "runs_on host/here"],
    );
    check(
        r#"pg_up{host="db-1"}"#,
        &["database/db-1:pg", "runs_on host/db-1"],
    );
    check(
        r#"redis_memory_used_bytes{addr="redis://cache-1:6379",instance="10.0.0.9:9121"}"#,
        &["database/cache-1:6379", "runs_on host/cache-1"],
    );
    check(
        r#"mysql_global_status_threads_connected{instance="10.1.0.9:9104",namespace="shop",node="n1",pod="mysql-0"}"#,
        &["database/shop/mysql-0", "runs_on host/n1"],
    );
    check(
        r#"pgbouncer_pools_server_active_connections{database="orders",instance="db-1:9127",user="a"}"#,
        &[
            "database/orders",
            "database/db-1:9127 runs_on host/db-1",
            "depends_on database/db-1:9127",
        ],
    );
    check(
        r#"hikaricp_connections_active{application="api",instance="web-1:8080",pool="HikariPool-1"}"#,
        &[
            "database/web-1:8080:HikariPool-1",
            "instance/web-1:8080 part_of service/api",
            "instance/web-1:8080 runs_on host/web-1",
            "instance/web-1:8080 depends_on database/web-1:8080:HikariPool-1",
        ],
    );
}

#[test]
fn every_anchor_tells_of_something_without_any_label() {
    for recipe in recipes() {
        let found = LabelRules::default().entity_of(recipe.anchor.metric, [], "here");
        let (entity, _) = found.unwrap();
        assert!(entity.name().starts_with("here"), "{entity}");
    }
    let nowhere = LabelRules::default().entity_of("up", [], "");
    assert_eq!(nowhere, None);
}

#[test]
fn rules_that_are_left_out_keep_their_default() {
    let text = r#"{"service": ["team_service"], "exporters": []}"#;
    let rules: LabelRules = serde_json::from_str(text).unwrap();
    let labels = [("service", "b"), ("team_service", "a"), ("instance", "c:1")];
    let (entity, links) = rules.entity_of("x", labels, "here").unwrap();
    assert_eq!(entity.as_str(), "instance/c:1");
    assert_eq!(links[0].to.as_str(), "service/a");
    assert!(serde_json::from_str::<LabelRules>(r#"{"services": []}"#).is_err());
}

proptest! {
    #[test]
    fn whatever_labels_hold_there_is_a_valid_entity_with_sound_links(
        metric in 0..9_usize,
        labels in prop::collection::btree_map(0..24_usize, ".{0,700}", 0..8),
    ) {
        let metric = [
            "node_load1", "node_filesystem_avail_bytes", "container_threads", "kube_pod_info", "kubelet_volume_stats_inodes",
            "pg_up", "hikaricp_connections_active", "process_open_fds", "x",
        ][metric];
        const NAMES: [&str; 24] = [
            "service", "job", "pod", "container", "comm", "node", "host", "mountpoint", "device", "persistentvolumeclaim",
            "datname", "server", "addr", "pool", "upstream", "server_address", "namespace", "id", "name", "instance",
            "exported_pod", "exported_instance", "deployment", "exported_",
        ];
        let labels: Vec<_> = labels.iter().map(|(&name, value)| (NAMES[name], value.as_str())).collect();
        let rules = LabelRules::default();
        let found = rules.entity_of(metric, labels.iter().copied(), "here");
        let (entity, links) = found.clone().unwrap();
        prop_assert_eq!(entity.to_string().parse(), Ok(entity));
        prop_assert!(links.iter().all(Link::is_sound) && links.len() < 6);
        prop_assert_eq!(rules.entity_of(metric, labels.into_iter().rev(), "here"), found);
    }
}
