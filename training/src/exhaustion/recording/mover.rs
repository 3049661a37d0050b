//! A resource that moves: its levels or requests bin by bin, and what came of it.

use serde_json::{Value, json};

use super::super::course::Course;
use super::super::service::{BOUNDS, Mechanism, Seen};
use super::Kind;

/// A resource that moves. Times are in bins from the start of the episode.
#[derive(Debug, Clone)]
pub(super) struct Mover {
    pub(super) kind: Kind,
    pub(super) course: Course,
    /// The level that it begins at.
    pub(super) base: f64,
    /// When the fault, or the load, began.
    pub(super) onset: usize,
    /// When a leak that stops stopped.
    pub(super) stop: Option<usize>,
    /// Whether a fault was still growing at the end.
    pub(super) growing: bool,
    /// When it ran out.
    pub(super) event: Option<f64>,
    /// How many bins are told.
    pub(super) bins: usize,
    pub(super) track: Track,
}

/// What is told of each bin.
#[derive(Debug, Clone)]
pub(super) enum Track {
    /// The share that is used, 0 to 1.
    Stock(Vec<f64>),
    /// Requests.
    Service(Box<Requests>),
}

impl Track {
    /// Keeps at most so many bins, and says how many there are.
    pub(super) fn cut(&mut self, most: usize) -> usize {
        match self {
            Self::Stock(levels) => {
                levels.truncate(most);
                levels.len()
            }
            Self::Service(requests) => {
                requests.bins.truncate(most);
                requests.bins.len()
            }
        }
    }
}

/// The requests of a service.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    pub(super) bins: Vec<Seen>,
    pub(super) mechanism: Mechanism,
    /// Objective or timeout, in bins.
    pub(super) objective: f64,
    /// The bounds of its histogram are [`BOUNDS`] times this, in parts of the objective.
    pub(super) bounds: f64,
    pub(super) workers: usize,
    pub(super) shows_workers: bool,
}

impl Mover {
    /// The shape of its course, after the mechanism where there are several.
    pub(super) fn variant(&self) -> String {
        let shape = shape(&self.course);
        match (&self.track, self.kind) {
            (_, Kind::Inodes) => format!("inode:{shape}"),
            (Track::Service(requests), Kind::Dependency) => {
                let mechanism = match requests.mechanism {
                    Mechanism::Queue => "queue",
                    Mechanism::Slowness => "latency",
                    Mechanism::Errors => "errors",
                    Mechanism::LostWorkers => "pool_leak",
                    Mechanism::Link => "link",
                };
                format!("{mechanism}:{shape}")
            }
            (Track::Stock(_) | Track::Service(_), _) => shape.to_owned(),
        }
    }

    /// What made it so.
    pub(super) fn params(&self) -> Value {
        let mut params = json!({
            "kind": self.kind.name(),
            "shape": shape(&self.course),
            "base": rounded(self.base),
            "course": serde_json::to_value(&self.course).unwrap_or(Value::Null),
        });
        if let (Track::Service(requests), Some(params)) = (&self.track, params.as_object_mut()) {
            params.insert("workers".to_owned(), requests.workers.into());
            let bounds: Vec<f64> = BOUNDS
                .iter()
                .map(|b| rounded(b * requests.bounds))
                .collect();
            params.insert("bucket_bounds_s".to_owned(), bounds.into());
        }
        params
    }
}

/// To six digits after the point.
pub(super) fn rounded(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

/// What a course is called.
fn shape(course: &Course) -> &'static str {
    match course {
        Course::Flat => "flat",
        Course::Walk { .. } => "walk",
        Course::Power { power, .. } if *power > 1.0 => "accel",
        Course::Power { power, .. } if *power < 1.0 => "decel",
        Course::Power { .. } => "linear",
        Course::Exponential { .. } => "exponential",
        Course::Pieces { .. } => "piecewise",
        Course::Stairs { until, .. } if until.is_finite() => "step_stop",
        Course::Stairs { .. } => "step",
        Course::Wave { fill, .. } if fill.is_finite() => "diurnal_leak",
        Course::Wave { .. } => "diurnal",
        Course::Saw { kept, .. } if *kept > 0.0 => "saw_leak",
        Course::Saw { .. } => "saw",
        Course::Plateau { .. } => "plateau",
        Course::Bursts { .. } => "burst",
        Course::Stops { .. } => "stop",
    }
}
