//! How long to wait between attempts.

use std::time::Duration;

use ring::digest;

/// A pause before the next attempt: exponential, with full jitter. Between 1 ms and `first_s`·2^`n_failed`, at most `max_s`.
///
/// Full jitter spreads the load of many senders best: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog
/// (2015). What is drawn depends on the key of the order and on the attempt alone, so that a test can foretell it, and two
/// engines that retry two orders still fall apart.
pub(super) fn pause(key: &str, attempt: u32, n_failed: u32, first_s: f64, max_s: f64) -> Duration {
    let ceiling_s = (first_s * 2_f64.powi(n_failed.min(62).cast_signed())).min(max_s);
    let drawn = digest::digest(&digest::SHA256, format!("{key}.{attempt}").as_bytes());
    let mut bits = 0_u64;
    for byte in drawn.as_ref().iter().take(8) {
        bits = bits << 8 | u64::from(*byte);
    }
    // 53 bits are what a float between 0 and 1 can hold.
    let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    Duration::from_secs_f64((ceiling_s * share).max(0.001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_within_their_bounds() {
        let mut sum_s = 0.0;
        for attempt in 0..200 {
            let pause_s = pause("p1-0-do", attempt, attempt, 0.5, 30.0).as_secs_f64();
            let ceiling_s = (0.5 * 2_f64.powi(attempt.min(20) as i32)).min(30.0);
            assert!(
                (0.001..=ceiling_s).contains(&pause_s),
                "attempt {attempt}: {pause_s}"
            );
            sum_s += pause_s;
        }
        // The mean of a uniform draw from 0 to 30 is 15; 4 standard errors of 200 draws are 2.5.
        assert!((sum_s / 200.0 - 15.0).abs() < 2.5, "{sum_s}");
    }

    #[test]
    fn the_same_attempt_waits_as_long_and_another_order_does_not() {
        let of = |key, attempt| pause(key, attempt, 3, 0.5, 30.0);
        assert_eq!(of("p1-0-do", 1), of("p1-0-do", 1));
        assert_ne!(of("p1-0-do", 1), of("p2-0-do", 1));
        assert_ne!(of("p1-0-do", 1), of("p1-0-do", 2));
    }
}
