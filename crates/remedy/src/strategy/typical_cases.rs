//! Cases as they come about, told in a sentence each: for tests.

use super::Case;
use super::tests::with;
use crate::{Area, Class};

/// A case in words, with what is known of it.
pub(super) struct Told {
    pub(super) title: &'static str,
    pub(super) case: Case,
}

/// `facts` stand for attributes as well; `around` is the service, host and number of instances.
fn told(
    title: &'static str,
    (entity, class, value, cause): (&str, Class, f64, &str),
    facts: &[(&str, &str)],
    (service, host, replicas): (&str, &str, u32),
) -> Told {
    let mut case = with(entity, class, value, facts);
    case.cause = cause.to_owned();
    case.is_present = value > case.threshold;
    case.around.service = service.parse().ok();
    case.around.host = host.parse().ok();
    case.around.replicas = replicas;
    case.around.owner = Some("shop-team".to_owned());
    case.around.tier = 2;
    // What a certificate has left is told in days already.
    case.ttf_s = case.ttf_s.filter(|_| class.area() != Area::Security);
    Told { title, case }
}

const GIB: &str = "1073741824";
const TIB_8: &str = "8589934592";

pub(super) fn typical() -> Vec<Told> {
    use Class::{
        CertificateExpiry, ConfigurationDrift, CpuSaturation, DiskExhaustion, MemoryExhaustion,
        NetworkLatency, ProcessCrash, SlowQueries, Vulnerability,
    };
    let api = ("service/api", "host/web-1", 4);
    let alone = ("", "host/web-1", 1);
    let (a, b) = ("3f".repeat(32), "9c".repeat(32));
    vec![
        told(
            "one of four instances leaks",
            ("instance/api-1", MemoryExhaustion, 0.86, "leak"),
            &[
                ("limit", GIB),
                ("memory_max_bytes", TIB_8),
                ("replicas_max", "8"),
                ("load_ratio", "0.5"),
            ],
            api,
        ),
        told(
            "the only instance leaks, and its limit was raised before",
            ("instance/batch-1", MemoryExhaustion, 0.92, "leak"),
            &[
                ("limit", GIB),
                ("memory_max_bytes", TIB_8),
                ("raised_before", "1"),
            ],
            alone,
        ),
        told(
            "memory grows with the work",
            ("instance/api-1", MemoryExhaustion, 0.87, "growth"),
            &[
                ("limit", GIB),
                ("memory_max_bytes", TIB_8),
                ("replicas_max", "8"),
                ("cache", "yes"),
            ],
            api,
        ),
        told(
            "memory warms up and will stay below",
            ("instance/api-1", MemoryExhaustion, 0.8, "warm-up"),
            &[
                ("limit", GIB),
                ("memory_max_bytes", TIB_8),
                ("replicas_max", "8"),
            ],
            api,
        ),
        told(
            "a database fills its memory",
            ("database/orders", MemoryExhaustion, 0.94, "growth"),
            &[
                ("limit", GIB),
                ("data", "production"),
                ("stateful", "yes"),
                ("jobs", "reports"),
            ],
            ("", "host/db-1", 1),
        ),
        told(
            "the kernel of a host of a pool leaks",
            ("host/web-1", MemoryExhaustion, 0.93, "leak"),
            &[("pool_hosts", "5"), ("load_ratio", "0.6")],
            ("", "", 0),
        ),
        told(
            "idle instances hold the memory that others need",
            ("service/preview", MemoryExhaustion, 0.91, ""),
            &[("load_ratio", "0.05"), ("replicas_min", "2")],
            ("service/preview", "", 8),
        ),
        told(
            "more is asked of a service every minute",
            ("service/api", CpuSaturation, 0.88, "growth"),
            &[
                ("replicas_max", "10"),
                ("load_ratio", "0.85"),
                ("sheddable", "0.3"),
                ("jobs", "reports"),
            ],
            ("service/api", "", 4),
        ),
        told(
            "a burst, and no more instances to be had",
            ("service/api", CpuSaturation, 0.95, "burst"),
            &[
                ("replicas_max", "4"),
                ("sheddable", "0.3"),
                ("jobs", "reports"),
                ("jobs_share", "0.15"),
            ],
            ("service/api", "", 4),
        ),
        told(
            "a throttled instance on an idle host",
            ("instance/api-1", CpuSaturation, 0.97, "growth"),
            &[("family", "cpu"), ("limit", "2"), ("cpu_max_cores", "4")],
            api,
        ),
        told(
            "root fills, logs and temporary files",
            ("volume/web-1:/", DiskExhaustion, 0.96, "growth"),
            &[
                ("limit", "100000000000"),
                ("reclaimable_bytes", "25000000000"),
                ("log_bytes", "9000000000"),
            ],
            ("", "host/web-1", 0),
        ),
        told(
            "data fill, nothing is temporary, and the volume can grow",
            ("volume/db-1:/data", DiskExhaustion, 0.93, "growth"),
            &[
                ("limit", "500000000000"),
                ("growable", "yes"),
                ("data", "production"),
            ],
            ("", "host/db-1", 0),
        ),
        told(
            "inodes run out under a spool",
            ("volume/mail-1:/spool", DiskExhaustion, 0.97, "growth"),
            &[
                ("family", "inodes"),
                ("limit", "6553600"),
                ("temporary", "incoming/*.part"),
                ("growable", "yes"),
            ],
            ("", "host/mail-1", 0),
        ),
        told(
            "a dependency fails",
            ("service/shop", NetworkLatency, 1.9, "dependency"),
            &[
                ("dependency", "service/stock"),
                ("errors_ratio", "0.8"),
                ("optional", "service/stock"),
                ("calls_max", "50"),
                ("replicas_max", "9"),
            ],
            ("service/shop", "", 3),
        ),
        told(
            "a dependency is slow, but answers",
            ("service/shop", NetworkLatency, 0.9, "dependency"),
            &[
                ("dependency", "service/stock"),
                ("errors_ratio", "0.05"),
                ("calls_max", "50"),
                ("replicas_max", "9"),
                ("sheddable", "yes"),
            ],
            ("service/shop", "", 3),
        ),
        told(
            "one instance of six answers slowly",
            ("instance/shop-4", NetworkLatency, 1.4, ""),
            &[("load_ratio", "0.55")],
            ("service/shop", "host/web-2", 6),
        ),
        told(
            "slow since the release a quarter of an hour ago",
            ("service/shop", NetworkLatency, 0.8, ""),
            &[
                ("version", "2.4.0"),
                ("previous_version", "2.3.7"),
                ("deployed_s", "900"),
                ("since_s", "600"),
                ("replicas_max", "9"),
                ("load_ratio", "0.4"),
            ],
            ("service/shop", "", 3),
        ),
        told(
            "file descriptors leak",
            ("instance/gateway-1", NetworkLatency, 0.92, "leak"),
            &[("family", "descriptors"), ("limit", "1024")],
            ("service/gateway", "host/web-1", 2),
        ),
        told(
            "a runaway report holds up the database",
            ("database/orders", SlowQueries, 40.0, ""),
            &[
                ("longest_s", "1900"),
                ("table", "orders"),
                ("columns", "customer_id,created_at"),
                ("writes_ratio", "0.1"),
                ("dead_rows_ratio", "0.3"),
            ],
            ("", "host/db-1", 1),
        ),
        told(
            "queries are slow for want of an index",
            ("database/orders", SlowQueries, 9.0, "growth"),
            &[
                ("longest_s", "12"),
                ("table", "orders"),
                ("columns", "customer_id,created_at"),
                ("writes_ratio", "0.1"),
                ("dead_rows_ratio", "0.02"),
                ("standby", "database/orders-2"),
                ("standby_lag_s", "0.1"),
            ],
            ("", "host/db-1", 1),
        ),
        told(
            "forgotten sessions take all connections",
            ("database/orders", SlowQueries, 0.93, "leak"),
            &[
                ("family", "connections"),
                ("limit", "200"),
                ("sessions_idle", "140"),
                ("connections_max", "400"),
                ("connections_online", "yes"),
            ],
            ("", "host/db-1", 1),
        ),
        told(
            "requests wait for a connection of the pool",
            ("service/shop", SlowQueries, 0.97, "growth"),
            &[
                ("family", "connections"),
                ("pool_size", "20"),
                ("pool_max", "60"),
                ("load_ratio", "0.6"),
            ],
            ("service/shop", "", 3),
        ),
        told(
            "an instance crashed once",
            ("instance/api-1", ProcessCrash, 1.5, ""),
            &[("restarts", "1"), ("reason", "Error"), ("exit_code", "139")],
            api,
        ),
        told(
            "killed for its memory",
            ("instance/api-1", ProcessCrash, 3.0, "oom"),
            &[
                ("restarts", "3"),
                ("reason", "OOMKilled"),
                ("limit", GIB),
                ("memory_max_bytes", TIB_8),
            ],
            api,
        ),
        told(
            "a crash loop of a bad configuration, since a release",
            ("instance/api-1", ProcessCrash, 12.0, "bad configuration"),
            &[
                ("restarts", "12"),
                ("reason", "CrashLoopBackOff"),
                ("exit_code", "1"),
                ("version", "2.4.0"),
                ("previous_version", "2.3.7"),
                ("deployed_s", "1800"),
            ],
            api,
        ),
        told(
            "the primary of a database is down",
            ("database/orders", ProcessCrash, 2.0, ""),
            &[
                ("restarts", "2"),
                ("standby", "database/orders-2"),
                ("standby_lag_s", "0.1"),
                ("stateful", "yes"),
            ],
            ("", "host/db-1", 2),
        ),
        told(
            "a certificate was renewed, and the old one is served",
            ("certificate/shop.example:443", CertificateExpiry, 5.0, ""),
            &[
                ("newer_on_disk", "true"),
                ("renewal", "acme"),
                ("days_left", "5"),
            ],
            ("service/edge", "", 2),
        ),
        told(
            "a certificate of an issuer with ACME",
            ("certificate/shop.example:443", CertificateExpiry, 12.0, ""),
            &[
                ("renewal", "acme"),
                ("days_left", "12"),
                ("validity_days", "90"),
            ],
            ("service/edge", "", 2),
        ),
        told(
            "a certificate that people order",
            ("certificate/bank.example:443", CertificateExpiry, 20.0, ""),
            &[
                ("renewal", "manual"),
                ("days_left", "20"),
                ("issuer", "Example CA"),
                ("not_after", "2026-02-01"),
            ],
            ("service/edge", "", 2),
        ),
        told(
            "a package with a fix",
            ("package/web-1:openssl", Vulnerability, 9.8, ""),
            &[
                ("id", "CVE-2024-0001"),
                ("package", "openssl"),
                ("installed", "3.0.11-1"),
                ("fixed", "3.0.13-1"),
                ("severity", "critical"),
            ],
            ("", "host/web-1", 0),
        ),
        told(
            "a package without a fix that attackers use",
            ("package/web-1:xz", Vulnerability, 10.0, ""),
            &[
                ("id", "CVE-2024-3094"),
                ("package", "xz"),
                ("installed", "5.6.1"),
                ("exploited", "yes"),
            ],
            ("", "host/web-1", 0),
        ),
        told(
            "a database server with a fix",
            ("package/db-1:postgresql-16", Vulnerability, 8.8, ""),
            &[
                ("id", "CVE-2024-10979"),
                ("package", "postgresql-16"),
                ("installed", "16.4-1"),
                ("fixed", "16.5-1"),
                ("severity", "high"),
                ("stateful", "yes"),
            ],
            ("", "host/db-1", 0),
        ),
        told(
            "a file was changed by hand",
            (
                "configuration/web-1:/etc/nginx/nginx.conf",
                ConfigurationDrift,
                1.0,
                "",
            ),
            &[
                ("path", "/etc/nginx/nginx.conf"),
                ("actual_sha256", &a),
                ("declared_sha256", &b),
                ("lines_changed", "3"),
                ("reload", "yes"),
            ],
            ("service/edge", "host/web-1", 2),
        ),
        told(
            "sudoers were changed by hand",
            (
                "configuration/web-1:/etc/sudoers",
                ConfigurationDrift,
                1.0,
                "",
            ),
            &[
                ("path", "/etc/sudoers"),
                ("actual_sha256", &a),
                ("declared_sha256", &b),
                ("lines_changed", "1"),
                ("sensitive", "true"),
            ],
            ("", "host/web-1", 0),
        ),
    ]
}
