//! Page tokens: where the next page begins, opaque to clients.
//!
//! A token holds the place of the last row in the order of the list, not an offset: rows that come or go in front of
//! it do not shift the pages behind it.

/// The place of one row: by `rank` downwards, then by `id` upwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// What the list is ordered by, larger first; never NaN.
    pub(crate) rank: f64,
    /// What tells rows of the same rank apart.
    pub(crate) id: u64,
}

impl Place {
    /// The order in which rows stand in a list.
    #[must_use]
    pub(crate) fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other
            .rank
            .total_cmp(&self.rank)
            .then(self.id.cmp(&other.id))
    }
}

/// A token that continues after `last`. `request` is all of the request that shapes the list.
#[must_use]
pub(crate) fn token(request: &str, last: Place) -> String {
    format!(
        "{:08x}{:016x}{:016x}",
        digest(request),
        last.rank.to_bits(),
        last.id
    )
}

/// The place after which a page begins; `None` for the first page.
///
/// # Errors
/// What is wrong with the token, in words.
pub(crate) fn place(request: &str, token: &str) -> Result<Option<Place>, &'static str> {
    const NOT_OURS: &str = "not a token of this server";
    if token.is_empty() {
        return Ok(None);
    }
    if token.len() != 40 || !token.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(NOT_OURS);
    }
    let number = |range| u64::from_str_radix(&token[range], 16).map_err(|_| NOT_OURS);
    if number(0..8)? != u64::from(digest(request)) {
        return Err("the token is of a list with another filter or order");
    }
    let (rank, id) = (f64::from_bits(number(8..24)?), number(24..40)?);
    if rank.is_nan() {
        Err(NOT_OURS)
    } else {
        Ok(Some(Place { rank, id }))
    }
}

/// The rows of one page and the token of the next, from the places of all rows that match, in any order.
#[must_use]
pub(crate) fn cut(mut rows: Vec<Place>, after: Option<Place>, size: usize) -> (Vec<Place>, bool) {
    if let Some(after) = after {
        rows.retain(|row| row.cmp(&after).is_gt());
    }
    let more = rows.len() > size;
    if more {
        rows.select_nth_unstable_by(size, Place::cmp);
        rows.truncate(size);
    }
    rows.sort_unstable_by(Place::cmp);
    (rows, more)
}

/// FNV-1a over the request. A guard against mistakes, not against forgery: a forged token shows nothing that the
/// forger could not ask for.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_every_row_once() {
        let rows: Vec<Place> = (0..103)
            .map(|id| Place {
                rank: f64::from((id * 7 % 10) as u8),
                id,
            })
            .collect();
        let mut told = Vec::new();
        let mut after = None;
        loop {
            let (page, more) = cut(rows.clone(), after, 10);
            told.extend(page.iter().map(|row| row.id));
            if !more {
                break;
            }
            let text = token("list", *page.last().unwrap());
            after = place("list", &text).unwrap();
        }
        let mut expected = rows.clone();
        expected.sort_by(Place::cmp);
        assert_eq!(told, expected.iter().map(|row| row.id).collect::<Vec<_>>());
    }

    #[test]
    fn tokens_of_others_are_refused() {
        let good = token("a", Place { rank: 0.5, id: 3 });
        assert_eq!(place("a", &good), Ok(Some(Place { rank: 0.5, id: 3 })));
        assert_eq!(place("a", ""), Ok(None));
        assert!(place("b", &good).is_err());
        assert!(place("a", &good[1..]).is_err());
        assert!(place("a", &"é".repeat(20)).is_err());
        assert!(
            place(
                "a",
                &format!("{}{:016x}{:016x}", &good[..8], f64::NAN.to_bits(), 0)
            )
            .is_err()
        );
    }
}
