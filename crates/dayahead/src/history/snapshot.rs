//! A history as bytes and back.

use super::ring::{Days, Head, History, SLOTS};

/// The most that [`History::write`] adds.
pub const MAX_BYTES: usize = size_of::<Head>() + size_of::<Days>();

/// Why bytes are no history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Neither that of a young history nor that of a grown one.
    #[error("a history of {0} bytes: they must be {young} or {MAX_BYTES}", young = size_of::<Head>())]
    Length(usize),
    /// A part that [`History::write`] never writes.
    #[error("a history whose {0} is none that was written")]
    Part(&'static str),
}

impl History {
    /// Adds the bytes of it to `out`, at most [`MAX_BYTES`]; those of one machine, not a format for exchange.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.head));
        if let Some(days) = &self.days {
            out.extend_from_slice(bytemuck::bytes_of(&**days));
        }
    }

    /// What [`History::write`] wrote.
    ///
    /// # Errors
    ///
    /// If the length or the contents are none that it writes.
    pub fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (head, rest) = bytes
            .split_at_checked(size_of::<Head>())
            .ok_or(SnapshotError::Length(bytes.len()))?;
        let head: Head = bytemuck::pod_read_unaligned(head);
        let days = match rest.len() {
            0 => None,
            n if n == size_of::<Days>() => Some(Box::new(bytemuck::pod_read_unaligned(rest))),
            _ => return Err(SnapshotError::Length(bytes.len())),
        };
        let history = Self { head, days };
        history.check().map_err(SnapshotError::Part)?;
        Ok(history)
    }

    /// The name of a part that is wrong.
    fn check(&self) -> Result<(), &'static str> {
        let head = &self.head;
        let right = |right: bool, part| if right { Ok(()) } else { Err(part) };
        right(Self::new(head.step_s).is_ok(), "step")?;
        right(head.begun <= 1, "beginning")?;
        let age = head.open.checked_sub(head.first).ok_or("first slot")?;
        // The newest slot that there can be, and so none whose end overflows.
        let end = i64::MAX / self.step_us();
        right(age >= 0 && (-end..end).contains(&head.first), "first slot")?;
        right(head.open < end, "open slot")?;
        // A young one has its slots in the head; there is room for two.
        right(self.days.is_some() || age <= 2, "age")?;
        let newest = head.last_us.div_euclid(self.step_us());
        right(head.begun == 0 || newest == head.open, "newest sample")?;
        right(head.sum.is_finite() && head.sum >= 0.0, "sum")?;
        let level = |&level: &f32| level.is_nan() || (0.0..=100.0).contains(&level);
        right(level(&head.maximum) && !head.maximum.is_nan(), "maximum")?;
        let [mut means, mut maxima] = [&head.means[..], &head.maxima[..]];
        if let Some(days) = &self.days {
            [means, maxima] = [&days.means[..], &days.maxima[..]];
        }
        right(means.iter().all(level), "means")?;
        right(maxima.iter().all(level), "maxima")?;
        debug_assert!(means.len() <= SLOTS);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use series::Timestamp;

    use super::*;

    /// Of `n` samples, ten minutes apart.
    fn grown(n: i64) -> History {
        let mut history = History::new(1_800).expect("a usual step");
        for i in 0..n {
            history.push(Timestamp::from_millis(600_000 * i), (i % 13) as f64 / 16.0);
        }
        history
    }

    fn bytes(history: &History) -> Vec<u8> {
        let mut bytes = Vec::new();
        history.write(&mut bytes);
        bytes
    }

    #[test]
    fn there_and_back() {
        for n in [0, 1, 5, 9, 20, 5_000] {
            let before = bytes(&grown(n));
            assert!(before.len() <= MAX_BYTES && MAX_BYTES <= 8_192);
            let back = History::read(&before).expect("what was written");
            assert_eq!(bytes(&back), before, "{n} samples");
        }
    }

    #[test]
    fn what_was_not_written_is_named() {
        let good = bytes(&grown(20));
        assert_eq!(
            History::read(&good[..50]).err(),
            Some(SnapshotError::Length(50))
        );
        assert_eq!(
            History::read(&good[..good.len() - 1]).err(),
            Some(SnapshotError::Length(good.len() - 1))
        );
        let mut bad = good.clone();
        let from = good.len() - 4;
        bad[from..].copy_from_slice(&(-1.0_f32).to_ne_bytes());
        assert_eq!(
            History::read(&bad).err(),
            Some(SnapshotError::Part("maxima"))
        );
    }

    proptest! {
        /// Whatever is read can be gone on with.
        #[test]
        fn damaged_bytes_do_no_harm(n in 0_i64..30, flips in prop::collection::vec((0_usize..size_of::<Head>(), any::<u8>()), 1..6)) {
            let mut damaged = bytes(&grown(n));
            for (place, byte) in flips {
                damaged[place] = byte;
            }
            if let Ok(mut history) = History::read(&damaged) {
                for s in [0, 600, 40_000, 1 << 40] {
                    let at = Timestamp::from_micros(s * 1_000_000);
                    let _ = crate::DayAhead::of(&history, at, &crate::Options::default());
                    history.push(at, 0.5);
                }
            }
        }
    }
}
