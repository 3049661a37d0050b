//! What is true of a machine without being a metric: certificates, known vulnerabilities, configuration against what
//! is declared. A crate because it fences X.509, TLS and the formats of scanners.
//!
//! Everything here is synchronous and looks once; whoever wants to look again calls again. There is no clock: what
//! depends on the time of day takes it. What is read is somebody else's: sizes and numbers are bounded, text is stripped
//! of what a terminal would obey, and a secret of a compared file is never shown.

pub mod certificate;
pub mod drift;
mod file;
mod text;
pub mod vulnerability;

pub use file::ReadError;
