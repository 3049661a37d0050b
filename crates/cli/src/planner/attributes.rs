//! What can be declared of an entity under `[topology]`, for whoever has to: every attribute that something reads.

use std::io;

use proto::v1::Explanation;

use crate::page::Page;

/// Read by strategies and rules: name, values or unit, meaning. The table above `remedy::strategy` says the same, which a test
/// holds it to.
const READ: &[(&str, &str, &str)] = &[
    (
        "cache",
        "yes",
        "holds a cache that can be dropped and fills again",
    ),
    (
        "calls_max",
        "calls",
        "calls to one dependency that may be under way at once",
    ),
    (
        "connections_max",
        "connections",
        "as high as max_connections may be set",
    ),
    (
        "connections_online",
        "yes",
        "takes a new max_connections without a restart (MySQL and poolers do, PostgreSQL does not)",
    ),
    (
        "cpu_max_cores",
        "cores",
        "as high as its processor quota may be set",
    ),
    (
        "data",
        "production",
        "production: only what is declared temporary is removed, defaults are not believed",
    ),
    ("growable", "yes", "the volume can be made larger in use"),
    (
        "idle_max_s",
        "seconds",
        "how long a session of the database may be idle; 600 if nothing is said",
    ),
    (
        "immutable",
        "yes",
        "comes from an image: packages and files in it are not changed, it is built anew",
    ),
    (
        "jobs",
        "yes, or their names",
        "batches, backups or builds on it can be held back",
    ),
    (
        "leader",
        "yes",
        "leads its cluster: restarting it makes the others elect",
    ),
    (
        "logs",
        "path",
        "directory of logs below the mount point; var/log, log or all of it by the mount point if nothing is said",
    ),
    ("long_queries", "yes", "queries of minutes are its work"),
    (
        "memory_max_bytes",
        "bytes",
        "as high as its memory limit may be set",
    ),
    (
        "migrated",
        "yes",
        "its data were migrated by the release: older versions cannot read them",
    ),
    (
        "open_files_max",
        "files",
        "as high as its limit of open files may be set; 524288 if nothing is said",
    ),
    (
        "optional",
        "entity ids",
        "dependencies that it can do without, separated by commas",
    ),
    (
        "pool_hosts",
        "hosts",
        "hosts that share the load with this one, itself included",
    ),
    (
        "pool_max",
        "connections",
        "as large as its pool of connections may be set",
    ),
    (
        "pool_size",
        "connections",
        "how large its pool of connections is",
    ),
    (
        "previous_version",
        "version",
        "the version before this release",
    ),
    (
        "released_at",
        "RFC 3339",
        "when this release began to run, 2026-11-26T12:00:00Z",
    ),
    (
        "reload",
        "yes, no",
        "reads its configuration again when asked to; no: at a start only",
    ),
    (
        "replicas_max",
        "instances",
        "as many instances as there may be",
    ),
    (
        "replicas_min",
        "instances",
        "as many as there must be, without a burst; 2 if nothing is said",
    ),
    ("restart", "no", "no: never restarted by a plan"),
    (
        "sheddable",
        "0 to 1",
        "share of the requests that may be refused; yes is 0.2",
    ),
    ("standby", "entity id", "who can take over"),
    (
        "stateful",
        "yes",
        "keeps data in place: not scaled, drained or failed over like what does not",
    ),
    (
        "temporary",
        "globs",
        "globs below the mount point of what may be removed, separated by commas; tmp/** and the like by the mount point if nothing is said",
    ),
    ("version", "version", "the version that runs"),
];

/// Read as a fact of a finding, or as an attribute where no finding tells it.
const ELSE: &[(&str, &str, &str)] = &[
    ("release_age_s", "seconds", "age of the release"),
    (
        "renewal",
        "acme, manual",
        "how the certificate is renewed: acme takes requests of a machine",
    ),
    ("standby_lag_s", "seconds", "how far the standby is behind"),
];

/// Read where it is told how to do a step by hand.
const BY_HAND: &[(&str, &str, &str)] = &[
    ("engine", "postgres, mysql", "which SQL the database speaks"),
    (
        "manager",
        "systemd, kubernetes, docker, certbot, patroni",
        "who keeps it running",
    ),
    ("namespace", "name", "its namespace in Kubernetes"),
    (
        "package_manager",
        "apt, dnf, …",
        "what installs packages on it",
    ),
    ("runtime", "java", "what it runs in"),
    (
        "unit",
        "name",
        "its unit of systemd, where that is not called like it",
    ),
    (
        "workload",
        "kind/name",
        "its workload in Kubernetes, where that is not called like it",
    ),
];

/// What a strategy says when an attribute is missing, before and after the entity; the attribute, and a value it may have.
const ASKED: &[(&str, &str, &str, &str)] = &[
    (
        "nothing says that ",
        " holds a cache that may be dropped",
        "cache",
        "yes",
    ),
    (
        "nothing says how many connections ",
        " has memory for",
        "connections_max",
        "500",
    ),
    (
        "nothing says that ",
        " takes a new limit of connections without a restart",
        "connections_online",
        "yes",
    ),
    (
        "nothing says how many cores ",
        " may have",
        "cpu_max_cores",
        "4",
    ),
    ("nothing says that ", " is growable", "growable", "yes"),
    ("nothing says where on ", " logs are", "logs", "var/log"),
    (
        "nothing says how much memory ",
        " may have",
        "memory_max_bytes",
        "4294967296",
    ),
    (
        "nothing says that the issuer of ",
        " takes requests of a machine",
        "renewal",
        "acme",
    ),
    (
        "nothing says how many instances ",
        " may have",
        "replicas_max",
        "6",
    ),
    (
        "nothing says that requests to ",
        " may be refused",
        "sheddable",
        "0.2",
    ),
    (
        "nothing says what on ",
        " is temporary",
        "temporary",
        "tmp/**",
    ),
];

/// Writes all of them.
pub(super) fn write(page: &mut Page<'_>) -> io::Result<()> {
    page.text(
        0,
        "What strategies read of an entity, as `attributes = { growable = \"yes\" }` beside its name under [topology]. An entity \
         inherits those of its service and host.",
    )?;
    let parts = [
        ("What permits something, or says how far it may go", READ),
        ("What findings tell, and you may", ELSE),
        ("How steps are told that are done by hand", BY_HAND),
    ];
    for (heading, all) in parts {
        page.heading(heading)?;
        for (name, values, meaning) in all {
            page.hanging(2, name, 20, &format!("{meaning} [{values}]"))?;
        }
    }
    Ok(())
}

/// What could be declared so that more strategies fit, as lines of the configuration; nothing when none asks for anything.
pub(super) fn advise(page: &mut Page<'_>, told: &Explanation) -> io::Result<()> {
    let mut wanted: Vec<_> = told
        .candidates
        .iter()
        .filter_map(|one| missing(&one.unfit))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(());
    }
    page.heading("What you could say in the configuration, where it is so (`forestall strategies --attributes`)")?;
    for (i, (entity, attribute, value)) in wanted.into_iter().enumerate() {
        let Some((kind, name)) = entity.split_once('/') else {
            continue;
        };
        if i > 0 {
            page.gap()?;
        }
        page.text(2, &format!("[[topology.{kind}s]]"))?;
        page.text(2, &format!("name = {}", serde_json::json!(name)))?;
        page.text(2, &format!("attributes = {{ {attribute} = \"{value}\" }}"))?;
    }
    Ok(())
}

/// The entity, attribute and a value of it that a strategy lacks.
fn missing(unfit: &str) -> Option<(&str, &'static str, &'static str)> {
    ASKED.iter().find_map(|(before, after, attribute, value)| {
        let entity = unfit.strip_prefix(before)?.strip_suffix(after)?;
        Some((entity, *attribute, *value))
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proto::v1::PlanCandidate;

    use super::*;
    use crate::page::written;

    const STRATEGIES: &str = include_str!("../../../remedy/src/strategy/mod.rs");

    #[test]
    fn the_list_is_that_of_the_strategies() {
        let rows = STRATEGIES
            .lines()
            .skip_while(|line| !line.contains("| attribute |"));
        let rows = rows.take_while(|line| line.starts_with("//! |")).skip(2);
        let cells = |line: &str| -> Vec<String> {
            let cells = line
                .trim_start_matches("//! |")
                .trim_end_matches('|')
                .split(" | ");
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        };
        let documented: Vec<_> = rows.map(cells).collect();
        let told = READ.iter();
        let told: Vec<_> = told
            .map(|(name, values, meaning)| {
                [name, meaning, values].map(ToString::to_string).to_vec()
            })
            .collect();
        assert_eq!(told, documented);
    }

    #[test]
    fn what_is_asked_for_is_what_strategies_say() {
        let sources = [
            include_str!("../../../remedy/src/strategy/clean_temporary_files.rs"),
            include_str!("../../../remedy/src/strategy/clear_cache.rs"),
            include_str!("../../../remedy/src/strategy/disk.rs"),
            include_str!("../../../remedy/src/strategy/grow_volume.rs"),
            include_str!("../../../remedy/src/strategy/raise_cpu_quota.rs"),
            include_str!("../../../remedy/src/strategy/raise_max_connections.rs"),
            include_str!("../../../remedy/src/strategy/raise_memory_limit.rs"),
            include_str!("../../../remedy/src/strategy/renew_certificate.rs"),
            include_str!("../../../remedy/src/strategy/scale_out.rs"),
            include_str!("../../../remedy/src/strategy/shed_load.rs"),
        ]
        .concat()
        .replace("{service}", "{}");
        for (before, after, attribute, _) in ASKED {
            let text = format!("\"{before}{{}}{after}\"");
            assert!(sources.contains(&text), "no strategy says {text}");
            let known = READ.iter().chain(ELSE).any(|(name, ..)| name == attribute);
            assert!(known, "{attribute}");
        }
    }

    #[test]
    fn what_is_missing_is_told_as_lines_of_the_configuration() {
        let unfit = |text: &str| PlanCandidate {
            unfit: text.to_owned(),
            ..PlanCandidate::default()
        };
        let told = Explanation {
            candidates: vec![
                unfit("nothing says that volume/web-1:/data is growable"),
                unfit("host/web-1 is no instance"),
                unfit("nothing says how many instances service/shop/api may have"),
            ],
            ..Explanation::default()
        };
        expect![[r#"

            What you could say in the configuration, where it is so
            (`forestall strategies --attributes`)
              [[topology.services]]
              name = "shop/api"
              attributes = { replicas_max = "6" }

              [[topology.volumes]]
              name = "web-1:/data"
              attributes = { growable = "yes" }
        "#]]
        .assert_eq(&written(80, |page| advise(page, &told)));
        assert_eq!(
            written(80, |page| advise(page, &Explanation::default())),
            ""
        );
    }
}
