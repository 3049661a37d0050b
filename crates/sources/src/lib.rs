//! Metrics in: this host, and recorded files. A crate of its own because it fences what reads them: procfs,
//! rustix, flate2, jiff, arrow and parquet. Everything here is synchronous; whoever wants threads brings them.

pub mod host;
pub mod replay;

/// One way for metrics to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Its key in the configuration and its label in telemetry.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
}

/// Every source of this crate.
pub const SOURCES: &[Source] = &[host::SOURCE, replay::SOURCE];

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only if both may be moved into the thread that runs them.
    #[test]
    fn sources_can_be_given_to_a_thread() {
        fn given<T: Send>() {}
        given::<host::Host>();
        given::<replay::Replay>();
    }

    #[test]
    fn every_source_has_a_name_of_its_own() {
        for (i, source) in SOURCES.iter().enumerate() {
            assert!(!source.about.is_empty());
            assert!(
                SOURCES[..i].iter().all(|other| other.name != source.name),
                "{}",
                source.name
            );
        }
    }
}
