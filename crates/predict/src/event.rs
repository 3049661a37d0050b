//! Events: what a person is told. One opens on an alert, grows, and closes when the series has been calm for a while.

use bytemuck::{Pod, Zeroable};
use series::Timestamp;

use crate::risk::{Event, EventId, Phase};

/// The open event of one series, if any.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Episode {
    /// 0: none is open.
    id: u64,
    since: i64,
    peak: f32,
    /// Samples since the last one that kept it open.
    calm: u32,
}

/// When events open and close.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Novelty, on the scale of the alert score, that opens an event.
    pub(crate) threshold: f32,
    /// Calm samples that close one.
    pub(crate) calm_samples: u32,
}

impl Episode {
    /// Takes one sample by its novelty before the refractory logic, which is the calm of an event itself: novelty that
    /// rises again after it is a new event, though it be no record. `next_id` gives the number of a new event.
    pub(crate) fn step(
        &mut self,
        at: i64,
        novelty: f32,
        rules: Rules,
        next_id: &mut u64,
    ) -> Option<Event> {
        let phase = if self.id == 0 {
            if novelty < rules.threshold {
                return None;
            }
            *self = Self {
                id: *next_id,
                since: at,
                peak: novelty,
                calm: 0,
            };
            *next_id += 1;
            Phase::Opened
        } else {
            self.peak = self.peak.max(novelty);
            // Half the threshold, so that an event does not flicker around it.
            self.calm = if novelty >= 0.5 * rules.threshold {
                0
            } else {
                self.calm + 1
            };
            if self.calm >= rules.calm_samples {
                Phase::Closed
            } else {
                Phase::Open
            }
        };
        let event = Event {
            id: EventId(self.id),
            phase,
            since: Timestamp::from_micros(self.since),
            peak: self.peak,
        };
        if phase == Phase::Closed {
            *self = Self::zeroed();
        }
        Some(event)
    }
}
