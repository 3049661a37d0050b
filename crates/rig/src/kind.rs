//! What runs out, by which mechanism, and the bounds within which a rig lets it.

use serde::{Deserialize, Serialize};

use crate::quantity::{self, QuantityError, size_text};

/// What runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Memory of a control group, until the kernel kills; without a group, address space of a process.
    Memory,
    /// Space or inodes of a small file system, until ENOSPC.
    Disk,
    /// File descriptors of a process, until EMFILE.
    Descriptors,
    /// Connections of a PostgreSQL server, until one is refused.
    Connections,
    /// Processor time of a small service, until its latency breaks the objective.
    Cpu,
    /// A server that somebody depends on, until half of the calls fail.
    Dependency,
}

/// How it runs out, where there is more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// Disk: bytes.
    Space,
    /// Disk: files.
    Inodes,
    /// Dependency: answers come later and later.
    Latency,
    /// Dependency: more and more answers are errors.
    Errors,
    /// Dependency: workers are lost one by one.
    Workers,
}

/// A limit or a mechanism that does not go with a kind.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum KindError {
    /// The text is no limit.
    #[error("limit")]
    Quantity(#[from] QuantityError),
    /// Beyond what a rig takes.
    #[error("a limit of {limit} for {kind} is out of bounds: between {least} and {most}")]
    Bounds {
        /// What runs out.
        kind: &'static str,
        /// What was asked for, in the kind's unit.
        limit: String,
        /// The least.
        least: String,
        /// The most.
        most: String,
    },
    /// Another kind's mechanism.
    #[error("{kind} does not run out by {mechanism}; it does by: {known}")]
    Mechanism {
        /// What runs out.
        kind: &'static str,
        /// What was asked for.
        mechanism: &'static str,
        /// What would do.
        known: String,
    },
}

/// Limits of one kind: the least and the most that are taken, and what is taken when nothing is said. The upper
/// bounds keep a run harmless on a small machine; below the lower ones there is no room for a shape.
struct Bounds {
    least: f64,
    most: f64,
    default: f64,
    unit: &'static str,
}

const MIB: f64 = 1024.0 * 1024.0;

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Memory,
        Self::Disk,
        Self::Descriptors,
        Self::Connections,
        Self::Cpu,
        Self::Dependency,
    ];

    /// As it is written on the command line and in plans.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Descriptors => "descriptors",
            Self::Connections => "connections",
            Self::Cpu => "cpu",
            Self::Dependency => "dependency",
        }
    }

    /// As a truth file writes it.
    #[must_use]
    pub const fn truth_name(self) -> &'static str {
        if matches!(self, Self::Descriptors) {
            "fd"
        } else {
            self.name()
        }
    }

    /// The unit of its limit.
    #[must_use]
    pub fn unit(self, mechanism: Mechanism) -> &'static str {
        self.bounds(mechanism).unit
    }

    fn bounds(self, mechanism: Mechanism) -> Bounds {
        let bounds = |least, most, default, unit| Bounds {
            least,
            most,
            default,
            unit,
        };
        match self {
            Self::Memory => bounds(16.0 * MIB, 2048.0 * MIB, 64.0 * MIB, "bytes"),
            Self::Disk if mechanism == Mechanism::Inodes => {
                bounds(256.0, 65_536.0, 4096.0, "inodes")
            }
            Self::Disk => bounds(8.0 * MIB, 1024.0 * MIB, 64.0 * MIB, "bytes"),
            Self::Descriptors => bounds(64.0, 65_536.0, 1024.0, "descriptors"),
            Self::Connections => bounds(16.0, 200.0, 40.0, "connections"),
            Self::Cpu => bounds(0.05, 1.0, 0.2, "cores"),
            Self::Dependency => bounds(4.0, 64.0, 16.0, "workers"),
        }
    }

    /// The mechanisms by which this kind runs out, the usual one first; none where there is only one way.
    #[must_use]
    pub const fn mechanisms(self) -> &'static [Mechanism] {
        match self {
            Self::Disk => &[Mechanism::Space, Mechanism::Inodes],
            Self::Dependency => &[Mechanism::Latency, Mechanism::Errors, Mechanism::Workers],
            Self::Memory | Self::Descriptors | Self::Connections | Self::Cpu => &[],
        }
    }

    /// The mechanism asked for, or the usual one. Kinds with one way only say [`Mechanism::Space`].
    ///
    /// # Errors
    /// When it is another kind's.
    pub fn mechanism(self, asked: Option<Mechanism>) -> Result<Mechanism, KindError> {
        let known = self.mechanisms();
        match asked {
            None => Ok(known.first().copied().unwrap_or(Mechanism::Space)),
            Some(mechanism) if known.contains(&mechanism) => Ok(mechanism),
            Some(mechanism) => Err(KindError::Mechanism {
                kind: self.name(),
                mechanism: mechanism.name(),
                known: if known.is_empty() {
                    "one way only, which needs no name".to_owned()
                } else {
                    let names: Vec<_> = known.iter().map(|known| known.name()).collect();
                    names.join(", ")
                },
            }),
        }
    }

    /// The limit that a text asks for, in the kind's unit; the usual one without a text.
    ///
    /// # Errors
    /// When the text is no such quantity, or out of bounds.
    pub fn limit(self, mechanism: Mechanism, text: Option<&str>) -> Result<f64, KindError> {
        let bounds = self.bounds(mechanism);
        let Some(text) = text else {
            return Ok(bounds.default);
        };
        let limit = match (bounds.unit, self) {
            ("bytes", _) => quantity::size_bytes(text)?,
            (_, Self::Cpu) => quantity::number(text)?,
            _ => quantity::number(text)?.floor(),
        };
        self.check(mechanism, limit).map(|()| limit)
    }

    /// Whether a limit is within bounds.
    ///
    /// # Errors
    /// When it is not; says what would be.
    pub fn check(self, mechanism: Mechanism, limit: f64) -> Result<(), KindError> {
        let bounds = self.bounds(mechanism);
        if (bounds.least..=bounds.most).contains(&limit) {
            return Ok(());
        }
        let show = |value| show(value, bounds.unit);
        Err(KindError::Bounds {
            kind: self.name(),
            limit: show(limit),
            least: show(bounds.least),
            most: show(bounds.most),
        })
    }
}

fn show(value: f64, unit: &str) -> String {
    if unit == "bytes" {
        size_text(value)
    } else {
        format!("{value} {unit}")
    }
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Space,
        Self::Inodes,
        Self::Latency,
        Self::Errors,
        Self::Workers,
    ];

    /// As it is written on the command line and in plans.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Space => "space",
            Self::Inodes => "inodes",
            Self::Latency => "latency",
            Self::Errors => "errors",
            Self::Workers => "workers",
        }
    }

    /// As a truth file writes it before the shape; empty for what needs no name.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Space => "",
            Self::Inodes => "inode:",
            Self::Latency => "latency:",
            Self::Errors => "errors:",
            Self::Workers => "pool_leak:",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_the_unit_of_the_kind() {
        let limit = |kind: Kind, text| kind.limit(Mechanism::Space, Some(text)).unwrap();
        assert!((limit(Kind::Memory, "24MiB") - 24.0 * MIB).abs() < 0.5);
        assert!((limit(Kind::Descriptors, "512") - 512.0).abs() < 0.5);
        assert!((limit(Kind::Cpu, "0.25") - 0.25).abs() < 1e-9);
    }

    #[test]
    fn what_could_hurt_the_machine_is_refused() {
        let refused = |kind: Kind, text| {
            kind.limit(Mechanism::Space, Some(text))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refused(Kind::Memory, "4GiB"),
            "a limit of 4 GiB for memory is out of bounds: between 16 MiB and 2 GiB"
        );
        assert_eq!(
            refused(Kind::Descriptors, "70000"),
            "a limit of 70000 descriptors for descriptors is out of bounds: between 64 descriptors and 65536 descriptors"
        );
        assert!(refused(Kind::Disk, "2GiB").contains("1 GiB"));
        assert!(Kind::Memory.check(Mechanism::Space, f64::NAN).is_err());
    }

    #[test]
    fn a_mechanism_belongs_to_a_kind() {
        assert_eq!(Kind::Disk.mechanism(None), Ok(Mechanism::Space));
        assert_eq!(Kind::Dependency.mechanism(None), Ok(Mechanism::Latency));
        let wrong = Kind::Disk.mechanism(Some(Mechanism::Errors)).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "disk does not run out by errors; it does by: space, inodes"
        );
        assert!(Kind::Memory.mechanism(Some(Mechanism::Space)).is_err());
    }
}
