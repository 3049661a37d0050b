//! What can be declared of an entity, for strategies and rules to read.

/// Something that can be declared of an entity under `[topology]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Its values, or their unit.
    pub values: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What it may be, for those that strategies ask for.
    pub example: Option<&'static str>,
}

/// What permits something, or says how far it may go; by name.
pub const ATTRIBUTES: &[Attribute] = &[
    Attribute {
        name: "cache",
        values: "yes",
        meaning: "holds a cache that can be dropped and fills again",
        example: Some("yes"),
    },
    Attribute {
        name: "calls_max",
        values: "calls",
        meaning: "calls to one dependency that may be under way at once",
        example: None,
    },
    Attribute {
        name: "connections_max",
        values: "connections",
        meaning: "as high as max_connections may be set",
        example: Some("500"),
    },
    Attribute {
        name: "connections_online",
        values: "yes",
        meaning: "takes a new max_connections without a restart (MySQL and poolers do, PostgreSQL does not)",
        example: Some("yes"),
    },
    Attribute {
        name: "cpu_max_cores",
        values: "cores",
        meaning: "as high as its processor quota may be set",
        example: Some("4"),
    },
    Attribute {
        name: "data",
        values: "production",
        meaning: "production: only what is declared temporary is removed, defaults are not believed",
        example: None,
    },
    Attribute {
        name: "growable",
        values: "yes",
        meaning: "the volume can be made larger in use",
        example: Some("yes"),
    },
    Attribute {
        name: "idle_max_s",
        values: "seconds",
        meaning: "how long a session of the database may be idle; 600 if nothing is said",
        example: None,
    },
    Attribute {
        name: "immutable",
        values: "yes",
        meaning: "comes from an image: packages and files in it are not changed, it is built anew",
        example: None,
    },
    Attribute {
        name: "jobs",
        values: "yes, or their names",
        meaning: "batches, backups or builds on it can be held back",
        example: None,
    },
    Attribute {
        name: "leader",
        values: "yes",
        meaning: "leads its cluster: restarting it makes the others elect",
        example: None,
    },
    Attribute {
        name: "logs",
        values: "path",
        meaning: "directory of logs below the mount point; var/log, log or all of it by the mount point if nothing is said",
        example: Some("var/log"),
    },
    Attribute {
        name: "long_queries",
        values: "yes",
        meaning: "queries of minutes are its work",
        example: None,
    },
    Attribute {
        name: "memory_max_bytes",
        values: "bytes",
        meaning: "as high as its memory limit may be set",
        example: Some("4294967296"),
    },
    Attribute {
        name: "migrated",
        values: "yes",
        meaning: "its data were migrated by the release: older versions cannot read them",
        example: None,
    },
    Attribute {
        name: "open_files_max",
        values: "files",
        meaning: "as high as its limit of open files may be set; 524288 if nothing is said",
        example: None,
    },
    Attribute {
        name: "optional",
        values: "entity ids",
        meaning: "dependencies that it can do without, separated by commas",
        example: None,
    },
    Attribute {
        name: "pool_hosts",
        values: "hosts",
        meaning: "hosts that share the load with this one, itself included",
        example: None,
    },
    Attribute {
        name: "pool_max",
        values: "connections",
        meaning: "as large as its pool of connections may be set",
        example: None,
    },
    Attribute {
        name: "pool_size",
        values: "connections",
        meaning: "how large its pool of connections is",
        example: None,
    },
    Attribute {
        name: "previous_version",
        values: "version",
        meaning: "the version before this release",
        example: None,
    },
    Attribute {
        name: "released_at",
        values: "RFC 3339",
        meaning: "when this release began to run, 2026-11-26T12:00:00Z",
        example: None,
    },
    Attribute {
        name: "reload",
        values: "yes, no",
        meaning: "reads its configuration again when asked to; no: at a start only",
        example: None,
    },
    Attribute {
        name: "replicas_max",
        values: "instances",
        meaning: "as many instances as there may be",
        example: Some("6"),
    },
    Attribute {
        name: "replicas_min",
        values: "instances",
        meaning: "as many as there must be, without a burst; 2 if nothing is said",
        example: None,
    },
    Attribute {
        name: "restart",
        values: "no",
        meaning: "no: never restarted by a plan",
        example: None,
    },
    Attribute {
        name: "sheddable",
        values: "0 to 1",
        meaning: "share of the requests that may be refused; yes is 0.2",
        example: Some("0.2"),
    },
    Attribute {
        name: "standby",
        values: "entity id",
        meaning: "who can take over",
        example: None,
    },
    Attribute {
        name: "stateful",
        values: "yes",
        meaning: "keeps data in place: not scaled, drained or failed over like what does not",
        example: None,
    },
    Attribute {
        name: "temporary",
        values: "globs",
        meaning: "globs below the mount point of what may be removed, separated by commas; tmp/** and the like by the mount point if nothing is said",
        example: Some("tmp/**"),
    },
    Attribute {
        name: "version",
        values: "version",
        meaning: "the version that runs",
        example: None,
    },
];

/// What a finding tells as a fact, if it knows, and whoever declares it otherwise; by name.
pub const FACTS_TO_DECLARE: &[Attribute] = &[
    Attribute {
        name: "release_age_s",
        values: "seconds",
        meaning: "age of the release",
        example: None,
    },
    Attribute {
        name: "renewal",
        values: "acme, manual",
        meaning: "how the certificate is renewed: acme takes requests of a machine",
        example: Some("acme"),
    },
    Attribute {
        name: "standby_lag_s",
        values: "seconds",
        meaning: "how far the standby is behind",
        example: None,
    },
];

/// The one of this name.
#[must_use]
pub fn attribute(name: &str) -> Option<&'static Attribute> {
    let mut all = ATTRIBUTES.iter().chain(FACTS_TO_DECLARE);
    all.find(|known| known.name == name)
}
