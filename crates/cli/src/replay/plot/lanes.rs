//! Where things stand in a drawing.

use series::Timestamp;

/// The drawing's own units; the page scales it to its width.
pub(super) const WIDTH: f64 = 1_200.0;
pub(super) const LEFT: f64 = 62.0;
pub(super) const RIGHT: f64 = WIDTH - 8.0;
pub(super) const VALUE: Lane = Lane {
    top: 8.0,
    bottom: 178.0,
};
pub(super) const SCORE: Lane = Lane {
    top: 190.0,
    bottom: 236.0,
};
pub(super) const ALERT: Lane = Lane {
    top: 248.0,
    bottom: 294.0,
};
pub(super) const LABELS: Lane = Lane {
    top: 180.5,
    bottom: 185.5,
};
pub(super) const HEIGHT: f64 = 312.0;
/// The score's lane ends at one in a million.
pub(super) const MOST_NINES: f64 = 6.0;

/// A stretch of the drawing's height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Lane {
    /// The height of `share` of the lane, 0 at its bottom; a little beyond the ends at most, to stay well-formed.
    pub(super) fn y(self, share: f64) -> f64 {
        self.bottom - share.clamp(-0.05, 1.05) * (self.bottom - self.top)
    }
}

/// Times to places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Across {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Across {
    pub(super) fn x(self, at: Timestamp) -> f64 {
        let span = (self.to - self.from).max(1) as f64;
        LEFT + (at - self.from).max(0) as f64 / span * (RIGHT - LEFT)
    }
}
