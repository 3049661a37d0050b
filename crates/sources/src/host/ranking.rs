//! Which processes have a series, for one kind of use: those at the top, and those that were there lately.
//!
//! A list of the ten largest changes all the time at its lower end, and a series that comes and goes cannot be
//! learned. So a process gets a series once it was at the top for [`ENTER_TICKS`] ticks on end, which keeps the
//! compiler runs of a build out, and keeps it until it was away for [`HOLD_TICKS`].

use std::collections::HashMap;

use super::table::Process;
use super::{Line, Reading};

/// Long enough to be more than a passing command, short enough to name a culprit within seconds.
const ENTER_TICKS: u32 = 3;
/// A minute at the default interval.
const HOLD_TICKS: u32 = 60;

/// A metric, and how a process shows it.
pub(super) type Column = (&'static str, fn(&Process) -> Option<f64>);

/// What decides a rank, and the value below which nobody is at the top, however quiet the machine is.
pub(super) type Order = (fn(&Process) -> Option<f64>, f64);

/// One list of top processes.
pub(super) struct Ranking {
    columns: &'static [Column],
    /// Each has a top of its own.
    orders: &'static [Order],
    top: usize,
    tracked: Vec<Tracked>,
    /// Those at the top of any order; one may stand there twice.
    leaders: Vec<u32>,
    scratch: Vec<(f64, u32)>,
}

struct Tracked {
    pid: u32,
    id: u64,
    at_top: bool,
    streak: u32,
    away: u32,
    /// Built when it has been at the top for long enough.
    lines: Vec<Line>,
}

impl Ranking {
    pub(super) fn new(columns: &'static [Column], orders: &'static [Order], top: usize) -> Self {
        Self {
            columns,
            orders,
            top,
            tracked: Vec::new(),
            leaders: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The processes that have or may soon get a series: to be looked at on every tick.
    pub(super) fn pids(&self) -> impl Iterator<Item = u32> {
        self.tracked.iter().map(|tracked| tracked.pid)
    }

    /// Ranks all, and reports the tracked ones that were looked at in this tick.
    pub(super) fn tick(
        &mut self,
        tick: u64,
        processes: &HashMap<u32, Process>,
        out: &mut Vec<Reading>,
    ) {
        self.rank(processes);
        for tracked in &mut self.tracked {
            tracked.at_top = false;
        }
        for &pid in &self.leaders {
            let Some(process) = processes.get(&pid) else {
                continue;
            };
            match self
                .tracked
                .iter_mut()
                .find(|tracked| tracked.id == process.id)
            {
                Some(tracked) if tracked.at_top => {}
                Some(tracked) => {
                    (tracked.at_top, tracked.away) = (true, 0);
                    tracked.streak += 1;
                }
                None => {
                    let id = process.id;
                    self.tracked.push(Tracked {
                        pid,
                        id,
                        at_top: true,
                        streak: 1,
                        away: 0,
                        lines: Vec::new(),
                    });
                }
            }
        }
        self.tracked.retain_mut(|tracked| {
            tracked.away += u32::from(!tracked.at_top);
            let lives = processes
                .get(&tracked.pid)
                .is_some_and(|process| process.id == tracked.id);
            lives
                && tracked.away
                    <= if tracked.lines.is_empty() {
                        0
                    } else {
                        HOLD_TICKS
                    }
        });
        // A crowd that takes turns at the top: those that were away the longest make room.
        let most = self.top * 3 * self.orders.len();
        if self.tracked.len() > most {
            self.tracked.sort_by_key(|tracked| tracked.away);
            self.tracked.truncate(most);
        }
        for tracked in &mut self.tracked {
            let Some(process) = processes.get(&tracked.pid) else {
                continue;
            };
            if tracked.lines.is_empty() && tracked.streak >= ENTER_TICKS {
                let pid = tracked.pid.to_string();
                let labels = [("comm", process.comm.as_str()), ("pid", pid.as_str())];
                tracked.lines = self
                    .columns
                    .iter()
                    .map(|(metric, _)| Line::new(metric, &labels))
                    .collect();
            }
            if process.tick == tick {
                for (line, (_, value)) in tracked.lines.iter().zip(self.columns) {
                    if let Some(value) = value(process) {
                        line.put(value, out);
                    }
                }
            }
        }
    }

    /// Leaves those at the top in `leaders`.
    fn rank(&mut self, processes: &HashMap<u32, Process>) {
        self.leaders.clear();
        for &(value, floor) in self.orders {
            self.scratch.clear();
            for (&pid, process) in processes {
                if let Some(value) = value(process).filter(|value| *value >= floor) {
                    self.scratch.push((value, pid));
                }
            }
            if self.scratch.len() > self.top {
                // Equal ones by number, so that the same host gives the same list.
                self.scratch.select_nth_unstable_by(self.top, |a, b| {
                    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
                });
                self.scratch.truncate(self.top);
            }
            self.leaders
                .extend(self.scratch.iter().map(|&(_, pid)| pid));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[("process_resident_memory_bytes", |p| Some(p.rss_bytes))];
    const ONE: &[Order] = &[(|p| Some(p.rss_bytes), 1.0)];
    const TWO: &[Order] = &[(|p| Some(p.rss_bytes), 2.0)];
    /// By use, and by share of a limit.
    const BOTH: &[Order] = &[
        (|p| Some(p.rss_bytes), 1.0),
        (|p| Some(p.rss_bytes / p.max_fds? as f64), 0.5),
    ];

    fn process(id: u64, rss_bytes: f64, tick: u64) -> Process {
        Process {
            id,
            comm: format!("p{id}"),
            tick,
            rss_bytes,
            ..Process::default()
        }
    }

    /// One tick over processes given as `(pid, id, bytes)`; the names of those reported.
    fn tick(ranking: &mut Ranking, tick: u64, processes: &[(u32, u64, f64)]) -> String {
        let table = processes
            .iter()
            .map(|&(pid, id, bytes)| (pid, process(id, bytes, tick)))
            .collect();
        let mut out = Vec::new();
        ranking.tick(tick, &table, &mut out);
        let names: Vec<_> = out.iter().filter_map(|r| r.key.label("comm")).collect();
        names.join(" ")
    }

    #[test]
    fn a_process_enters_after_three_ticks_and_is_held_for_sixty() {
        let mut ranking = Ranking::new(COLUMNS, ONE, 1);
        let (a_leads, b_leads) = ([(1, 10, 5.0), (2, 20, 4.0)], [(1, 10, 5.0), (2, 20, 6.0)]);
        assert_eq!(tick(&mut ranking, 0, &a_leads), "");
        assert_eq!(tick(&mut ranking, 1, &a_leads), "");
        assert_eq!(tick(&mut ranking, 2, &a_leads), "p10");
        for i in 0..60 {
            assert_eq!(
                tick(&mut ranking, 3 + i, &b_leads),
                if i < 2 { "p10" } else { "p10 p20" }
            );
        }
        assert_eq!(tick(&mut ranking, 63, &b_leads), "p20");
    }

    #[test]
    fn one_that_exits_or_is_replaced_ends_at_once() {
        let mut ranking = Ranking::new(COLUMNS, ONE, 1);
        for i in 0..3 {
            tick(&mut ranking, i, &[(1, 10, 5.0)]);
        }
        assert_eq!(tick(&mut ranking, 3, &[(1, 11, 5.0)]), "");
        assert_eq!(ranking.pids().count(), 1);
        assert_eq!(tick(&mut ranking, 4, &[]), "");
        assert_eq!(ranking.pids().count(), 0);
    }

    #[test]
    fn passing_commands_and_small_ones_get_no_series() {
        let mut ranking = Ranking::new(COLUMNS, TWO, 3);
        for i in 0..100 {
            assert_eq!(
                tick(&mut ranking, i, &[(1, 1000 + i / 2, 9.0), (2, 20, 1.0)]),
                ""
            );
        }
    }

    #[test]
    fn a_crowd_is_bounded() {
        let mut ranking = Ranking::new(COLUMNS, ONE, 2);
        for i in 0..400_u64 {
            let lead = |pid: u32| {
                if u64::from(pid) / 2 == i / 4 % 10 {
                    9.0
                } else {
                    2.0
                }
            };
            let crowd: Vec<_> = (0..20)
                .map(|pid| (pid, u64::from(pid), lead(pid)))
                .collect();
            tick(&mut ranking, i, &crowd);
            assert!(ranking.pids().count() <= 6);
        }
    }

    #[test]
    fn one_near_its_limit_is_there_beside_those_that_use_most() {
        let mut ranking = Ranking::new(COLUMNS, BOTH, 1);
        let mut seen = Vec::new();
        for i in 0..4 {
            let limited = |id, bytes, limit| Process {
                max_fds: Some(limit),
                ..process(id, bytes, i)
            };
            let table = [
                (1, limited(10, 90.0, 1000)),
                (2, limited(20, 6.0, 10)),
                (3, limited(30, 4.0, 10)),
            ];
            let mut out = Vec::new();
            ranking.tick(i, &table.into(), &mut out);
            seen = out
                .iter()
                .filter_map(|r| r.key.label("comm"))
                .map(str::to_owned)
                .collect();
        }
        seen.sort();
        assert_eq!(seen, ["p10", "p20"]);
    }
}
