//! Whether a receiver answers at all: while it does not, plans are held, rather than spent on it.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Opens after so many failed requests in a row, for a while. Then one more failure opens it again, one success closes it.
#[derive(Debug)]
pub(super) struct Circuit {
    n_failures: u32,
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    n_failed: u32,
    /// When the last of them failed, if there are enough of them.
    opened: Option<Instant>,
}

impl Circuit {
    /// `rest_s` was checked to be a sound time.
    pub(super) fn new(n_failures: u32, rest_s: f64) -> Self {
        Self {
            n_failures,
            rest: Duration::from_secs_f64(rest_s),
            state: Mutex::default(),
        }
    }

    /// Whether orders may be sent.
    pub(super) fn check(&self) -> Result<(), String> {
        let state = self.state.lock();
        let left = state
            .opened
            .and_then(|opened| self.rest.checked_sub(opened.elapsed()));
        match left {
            Some(left) if !left.is_zero() => Err(format!(
                "its last {} requests failed; it is tried again in {:.0} s",
                state.n_failed,
                left.as_secs_f64().ceil()
            )),
            _ => Ok(()),
        }
    }

    /// Takes note of a request.
    pub(super) fn note(&self, has_worked: bool) {
        let mut state = self.state.lock();
        if has_worked {
            *state = State::default();
            return;
        }
        state.n_failed = state.n_failed.saturating_add(1);
        if state.n_failed >= self.n_failures {
            state.opened = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_lets_one_try_again() {
        let circuit = Circuit::new(3, 60.0);
        for worked in [false, false, true, false, false] {
            circuit.note(worked);
            assert_eq!(circuit.check(), Ok(()));
        }
        circuit.note(false);
        let why = circuit.check().unwrap_err();
        assert_eq!(why, "its last 3 requests failed; it is tried again in 60 s");
        advance(Duration::from_secs(60)).await;
        assert_eq!(circuit.check(), Ok(()));
        circuit.note(false);
        circuit.check().unwrap_err();
        circuit.note(true);
        assert_eq!(circuit.check(), Ok(()));
    }
}
