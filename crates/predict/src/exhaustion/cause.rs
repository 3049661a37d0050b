//! Why a level moves as it does, and what contributes to what is said of it.

use features::headroom::{Columns, place};

use super::judge::Seen;
use super::{Cause, FACTORS, Family};
use crate::risk::{Factor, MAX_FACTORS, insert_factor};

/// Why it moves as it does, told from the shape of the window.
pub(super) fn cause(family: Family, within_day: f32, levels: &[f32], columns: &Columns) -> Cause {
    let n = levels.len();
    let now = levels.last().copied().unwrap_or(0.0);
    let low = levels.iter().copied().fold(f32::MAX, f32::min);
    let moved = now - low;
    let returns = columns[const { place("falls") }] > 1.0
        || columns[const { place("period_strength") }] > 0.6;
    let recent = now
        - levels[n.saturating_sub(13).min(n.saturating_sub(1))..]
            .first()
            .copied()
            .unwrap_or(now);
    if within_day < 0.1 && moved.abs() < 0.05 {
        return Cause::Steady;
    }
    if returns && columns[const { place("trough_trend_long") }].abs() < 0.5 {
        return Cause::Cycle;
    }
    // Most of the way in a few steps, or within two minutes.
    let sudden = columns[const { place("step_share") }] > 0.3
        || columns[const { place("climb_age") }] < 0.32;
    if moved > 0.1 && recent > 0.6 * moved && sudden {
        return Cause::Burst;
    }
    if columns[const { place("bend_96") }] < -0.3
        && columns[const { place("trend_24") }] < 0.6 * columns[const { place("trend_96") }]
    {
        return Cause::WarmUp;
    }
    // Whoever gives back a part on the way grows with what is asked of it.
    let stock = if columns[const { place("given_back_96") }] < 0.3 {
        Cause::Leak
    } else {
        Cause::Growth
    };
    match family {
        Family::Dependency => Cause::Dependency,
        Family::Cpu => Cause::Growth,
        Family::Memory
        | Family::Disk
        | Family::Inodes
        | Family::Connections
        | Family::Descriptors
        | Family::Threads => {
            if moved < 0.05 {
                Cause::Steady
            } else {
                stock
            }
        }
    }
}

/// What contributes most, told from the leading channel and from what else is seen.
pub(super) fn factors(seen: &Seen<'_>, columns: &Columns) -> [Factor; MAX_FACTORS] {
    let last = |i: usize| seen.channels[i].last().copied().unwrap_or(0.0);
    // In the order of FACTORS; each of the order of 1 when it matters.
    let sizes: [f32; FACTORS.len()] = [
        columns[const { place("level") }].clamp(0.0, 1.2).powi(2),
        columns[const { place("trend_12") }].max(0.0) / 2.0,
        columns[const { place("trend_96") }].max(0.0) / 2.0,
        columns[const { place("bend_24") }].max(0.0) / 2.0,
        columns[const { place("trough_trend") }].max(0.0) / 2.0,
        columns[const { place("noise_48") }] / 3.0,
        columns[const { place("period_strength") }].max(0.0) / 2.0,
        last(1).clamp(0.0, 2.0),
        last(2).clamp(0.0, 2.0),
        seen.waiting.clamp(0.0, 2.0),
    ];
    let total: f32 = sizes.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    let mut top = [Factor::default(); MAX_FACTORS];
    for (index, size) in sizes.iter().enumerate() {
        let share = size / total;
        insert_factor(
            &mut top,
            Factor {
                index: index as u8,
                share,
            },
        );
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::headroom::columns;

    fn of(levels: &[f32]) -> Cause {
        cause(Family::Memory, 0.9, levels, &columns(levels))
    }

    #[test]
    fn shapes_have_causes() {
        let ramp: Vec<f32> = (0..120u8).map(|i| 0.2 + 0.005 * f32::from(i)).collect();
        assert_eq!(of(&ramp), Cause::Leak);
        let mut jump = vec![0.2; 100];
        jump.extend([0.4, 0.7, 0.72, 0.72]);
        assert_eq!(of(&jump), Cause::Burst);
        let saw: Vec<f32> = (0..240u8).map(|i| 0.2 + 0.02 * f32::from(i % 30)).collect();
        assert_eq!(of(&saw), Cause::Cycle);
        let warm: Vec<f32> = (0..120u8)
            .map(|i| 0.6 - 0.4 * (-f32::from(i) / 30.0).exp())
            .collect();
        assert_eq!(of(&warm), Cause::WarmUp);
        // Up two, down one.
        let busy: Vec<f32> = (0..160u8)
            .map(|i| 0.1 + 0.004 * f32::from(i) + if i % 2 == 0 { 0.0 } else { 0.02 })
            .collect();
        assert_eq!(of(&busy), Cause::Growth);
        let calm = cause(Family::Memory, 0.01, &[0.3; 100], &columns(&[0.3; 100]));
        assert_eq!(calm, Cause::Steady);
    }
}
