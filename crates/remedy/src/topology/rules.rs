//! Which labels name what, as a table of a configuration.

use serde::{Deserialize, Serialize};

/// The table `[topology.labels]`: names of labels, the first that a series has counts. What is left out keeps its default.
///
/// A label that was renamed because the scraper had one of its own, such as `exported_pod`, goes before the other: it is
/// what the exporter meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelRules {
    /// A service. `job` names what is scraped: it counts for less than a host, and for nothing where one tells of others
    /// ([`LabelRules::cluster_metrics`]).
    pub service: Vec<String>,
    /// A pod, which is an instance.
    pub pod: Vec<String>,
    /// A container. It is an instance of its own only where there is no pod.
    pub container: Vec<String>,
    /// A process or group of processes on a host, by name: numbers change with each start, names do not.
    pub process: Vec<String>,
    /// A host. Where there is none, `instance` without its port.
    pub host: Vec<String>,
    /// A file system of a host, where the metric is one of [`LabelRules::host_metrics`].
    pub volume: Vec<String>,
    /// A volume of a cluster, whatever host it is on.
    pub claim: Vec<String>,
    /// A database within a server, where the metric is one of [`LabelRules::database_metrics`].
    pub database: Vec<String>,
    /// A database server. Where there is none, the pod or else `instance`.
    pub server: Vec<String>,
    /// A pool of connections, where the metric is one of [`LabelRules::pool_metrics`].
    pub pool: Vec<String>,
    /// What is called: a service.
    pub callee: Vec<String>,
    /// What goes before the names of pods, containers, services and claims: `namespace/pod`.
    pub namespace: Vec<String>,
    /// Values that name who measured, never a service.
    pub exporters: Vec<String>,
    /// How metrics begin that tell of a host.
    pub host_metrics: Vec<String>,
    /// How metrics begin that tell of a database.
    pub database_metrics: Vec<String>,
    /// How metrics begin that tell of a pool within an instance.
    pub pool_metrics: Vec<String>,
    /// How metrics begin in which a cluster, or who runs containers, tells of pods: their `instance` and `job` are its own.
    pub cluster_metrics: Vec<String>,
}

impl Default for LabelRules {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            service: list(&[
                "service",
                "service_name",
                "app_kubernetes_io_name",
                "app",
                "application",
                "deployment",
                "statefulset",
                "daemonset",
                "job",
            ]),
            pod: list(&["pod", "pod_name", "kubernetes_pod_name"]),
            container: list(&["container", "container_name"]),
            process: list(&["process", "comm", "groupname"]),
            host: list(&["node", "host", "hostname", "nodename"]),
            volume: list(&["mountpoint", "device"]),
            claim: list(&["persistentvolumeclaim"]),
            database: list(&["datname", "database"]),
            server: list(&["server", "addr"]),
            pool: list(&["pool", "pool_name", "db_client_connection_pool_name"]),
            callee: list(&[
                "peer_service",
                "upstream",
                "destination_service_name",
                "destination_service",
                "server_address",
            ]),
            namespace: list(&["namespace", "kubernetes_namespace"]),
            exporters: list(&[
                "cadvisor",
                "kubelet",
                "kube-state-metrics",
                "node",
                "node-exporter",
                "node_exporter",
                "process-exporter",
                "postgres-exporter",
                "mysqld-exporter",
                "redis-exporter",
                "blackbox",
                "pushgateway",
            ]),
            host_metrics: list(&["node_"]),
            database_metrics: list(&["pg_", "pgbouncer_", "mysql_", "redis_"]),
            pool_metrics: list(&["hikaricp_", "db_client_connection"]),
            cluster_metrics: list(&["container_", "kube_", "kubelet_"]),
        }
    }
}
