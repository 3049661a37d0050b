//! The last levels of a resource, one a bin.

use bytemuck::{Pod, Zeroable};

/// How many bins are remembered: 85 minutes of 20 seconds each.
pub const TRACE_BINS: usize = 256;

/// The last levels, in a ring of fixed size.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Trace {
    levels: [f32; TRACE_BINS],
    /// How many were ever pushed since the last reset; the ring holds the last of them.
    pushed: u32,
}

impl Default for Trace {
    fn default() -> Self {
        Self::zeroed()
    }
}

impl Trace {
    /// Appends the level of the next bin. A level that is no number repeats the one before, or is left out at the start.
    pub fn push(&mut self, level: f32) {
        let level = if level.is_finite() {
            level.clamp(-1.0, 8.0)
        } else if let Some(last) = self.last() {
            last
        } else {
            return;
        };
        self.levels[self.pushed as usize % TRACE_BINS] = level;
        // Wraps at a multiple of the ring's length, beyond the second turn.
        self.pushed = if self.pushed >= 1 << 30 {
            self.pushed - (1 << 29) + 1
        } else {
            self.pushed + 1
        };
    }

    /// The level of the last bin.
    #[must_use]
    pub fn last(&self) -> Option<f32> {
        let last = self.pushed.checked_sub(1)? as usize;
        Some(self.levels[last % TRACE_BINS])
    }

    /// The level `age` bins before the last; `None` beyond the oldest.
    #[must_use]
    pub fn ago(&self, age: usize) -> Option<f32> {
        if age >= self.len() {
            return None;
        }
        Some(self.levels[(self.pushed as usize - 1 - age) % TRACE_BINS])
    }

    /// Multiplies all levels: the limit that they are shares of moved.
    pub fn scale(&mut self, factor: f32) {
        if factor.is_finite() && factor > 0.0 {
            for level in &mut self.levels {
                *level = (*level * factor).clamp(-1.0, 8.0);
            }
        }
    }

    /// How many levels there are, at most [`TRACE_BINS`].
    #[must_use]
    pub const fn len(&self) -> usize {
        if self.pushed as usize > TRACE_BINS {
            TRACE_BINS
        } else {
            self.pushed as usize
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pushed == 0
    }

    /// Forgets everything.
    pub const fn reset(&mut self) {
        self.pushed = 0;
    }

    /// Copies the levels to `out`, oldest first, and returns how many there are.
    pub fn copy(&self, out: &mut [f32; TRACE_BINS]) -> usize {
        let n = self.len();
        let from = if n < TRACE_BINS {
            0
        } else {
            self.pushed as usize % TRACE_BINS
        };
        let first = (TRACE_BINS - from).min(n);
        out[..first].copy_from_slice(&self.levels[from..from + first]);
        out[first..n].copy_from_slice(&self.levels[..n - first]);
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_levels_in_order() {
        let mut trace = Trace::default();
        let mut out = [0.0; TRACE_BINS];
        assert_eq!(trace.copy(&mut out), 0);
        trace.push(f32::NAN);
        assert!(trace.is_empty(), "nothing to repeat");
        for i in 0..300u16 {
            trace.push(f32::from(i) / 300.0);
        }
        trace.push(f32::NAN);
        assert_eq!(trace.copy(&mut out), TRACE_BINS);
        assert_eq!((out[255], out[254]), (299.0 / 300.0, 299.0 / 300.0));
        assert!((out[0] - 45.0 / 300.0).abs() < 1e-7);
        trace.reset();
        trace.push(0.5);
        assert_eq!(
            (trace.copy(&mut out), out[0], trace.last()),
            (1, 0.5, Some(0.5))
        );
    }

    #[test]
    fn years_of_bins_do_not_end_it() {
        let mut trace = Trace {
            pushed: (1 << 30) - 1,
            ..Trace::default()
        };
        let mut out = [0.0; TRACE_BINS];
        for level in [0.1, 0.2, 0.3, 0.4] {
            trace.push(level);
        }
        trace.copy(&mut out);
        assert_eq!(&out[252..], &[0.1, 0.2, 0.3, 0.4]);
    }
}
