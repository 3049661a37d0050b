//! The row of a service: three channels, and what kind of service it is.

use super::columns::columns;
use super::schema::N_HEADROOM;

/// How many numbers the row of a service has.
pub const N_SERVICE: usize = 3 * N_HEADROOM + 1;

/// The row of a service.
///
/// `channels`: load, latency and errors as shares of their limits, bin by bin, oldest first, as [`columns`] takes them. The rows
/// of the three, one behind the other, and 1 for a processor or 0 for what is called.
#[must_use]
pub fn service_row(channels: [&[f32]; 3], is_processor: bool) -> [f32; N_SERVICE] {
    let mut row = [0.0; N_SERVICE];
    for (part, levels) in row.chunks_exact_mut(N_HEADROOM).zip(channels) {
        part.copy_from_slice(&columns(levels));
    }
    row[N_SERVICE - 1] = f32::from(u8::from(is_processor));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stand_one_behind_the_other() {
        let (load, latency) = ([0.1, 0.2, 0.4], [0.5, 0.4, 0.4]);
        let row = service_row([&load, &latency, &[]], true);
        assert_eq!(row[..N_HEADROOM], columns(&load));
        assert_eq!(row[N_HEADROOM..2 * N_HEADROOM], columns(&latency));
        assert!(
            row[2 * N_HEADROOM..3 * N_HEADROOM]
                .iter()
                .all(|x| x.abs() < 1e-9)
        );
        assert!((row[N_SERVICE - 1] - 1.0).abs() < 1e-9);
    }
}
