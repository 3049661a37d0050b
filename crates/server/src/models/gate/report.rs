//! What the gate found, for people and for programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Difference, Limits};

/// Whether a candidate may take the champion's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "why")]
pub enum Verdict {
    /// It is not worse.
    Passed,
    /// It is worse; all reasons.
    Refused(Vec<String>),
    /// There is too little to judge by.
    Undecided(String),
}

/// Figures of champion and candidate, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Mean negative log density of the forecasts: less is better.
    pub nats: [f64; 2],
    /// Candidate less champion.
    pub nats_difference: Difference,
    /// Share of normal samples that were less likely than 1 in 1,000.
    pub false_alarms: [f64; 2],
    /// Candidate less champion.
    pub false_alarms_difference: Difference,
    /// Share of normal samples within the central 90 % interval of their forecasts.
    pub coverage: [f64; 2],
    /// Distances from 0.9, candidate less champion.
    pub coverage_error_difference: Difference,
    /// Share of faults that are flagged when 1 in 200 normal samples is; `None` without faults.
    pub recall: Option<[f64; 2]>,
    /// Mean rank of faults among normal samples, 0 to 1; `None` without faults.
    pub rank: Option<[f64; 2]>,
    /// Microseconds per series and step, at batch 128.
    pub step_us: [f64; 2],
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The model that serves.
    pub champion: String,
    /// The model that is to serve.
    pub candidate: String,
    /// Series that both were judged on.
    pub n_series: usize,
    /// Series that were left out for want of room.
    pub n_series_left_out: usize,
    /// Normal samples.
    pub n_samples: usize,
    /// Samples of faults.
    pub n_faults: usize,
    /// Steps ahead that both forecast.
    pub horizons: Vec<u32>,
    /// What was let pass.
    pub limits: Limits,
    /// What was measured; `None` when the candidate could not be run, or there was too little to run it on.
    pub figures: Option<Figures>,
    /// What follows from it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Report {
    /// Of a candidate that cannot be loaded; `names` are those of champion and candidate.
    #[must_use]
    pub fn refused([champion, candidate]: [&str; 2], limits: Limits, why: String) -> Self {
        Self {
            champion: champion.to_owned(),
            candidate: candidate.to_owned(),
            n_series: 0,
            n_series_left_out: 0,
            n_samples: 0,
            n_faults: 0,
            horizons: Vec::new(),
            limits,
            figures: None,
            verdict: Verdict::Refused(vec![why]),
        }
    }

    /// Whether the candidate may take the champion's place.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    /// The verdict with its reasons on one line, for histories and logs.
    #[must_use]
    pub fn summary(&self) -> String {
        let measured = self.figures.map_or_else(String::new, |figures| {
            let difference = figures.nats_difference;
            format!(
                " ({:+.4} nats, 90 % interval {:+.4} to {:+.4}, over {} samples of {} series)",
                difference.value, difference.low, difference.high, self.n_samples, self.n_series
            )
        });
        match &self.verdict {
            Verdict::Passed => {
                format!(
                    "{} is not worse than {}{measured}",
                    self.candidate, self.champion
                )
            }
            Verdict::Refused(why) => format!(
                "{} is worse than {}: {}",
                self.candidate,
                self.champion,
                why.join("; ")
            ),
            Verdict::Undecided(why) => format!(
                "{} cannot be compared with {}: {why}",
                self.candidate, self.champion
            ),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} against {}, on {} held-back samples of {} series ({} of faults)",
            self.candidate, self.champion, self.n_samples, self.n_series, self.n_faults
        )?;
        if self.n_series_left_out > 0 {
            writeln!(
                f,
                "{} further series were left out for want of room",
                self.n_series_left_out
            )?;
        }
        if let Some(figures) = &self.figures {
            write_figures(f, figures, &self.limits)?;
        }
        match &self.verdict {
            Verdict::Passed => write!(f, "\npassed: not worse by more than its noise"),
            Verdict::Refused(why) => {
                write!(f, "\nrefused:")?;
                why.iter().try_for_each(|why| write!(f, "\n  {why}"))
            }
            Verdict::Undecided(why) => write!(f, "\nundecided: {why}"),
        }
    }
}

fn write_figures(f: &mut fmt::Formatter<'_>, figures: &Figures, limits: &Limits) -> fmt::Result {
    writeln!(
        f,
        "\n  {:<34}  champion  candidate   difference (90 % interval)     let pass",
        ""
    )?;
    let row = |f: &mut fmt::Formatter<'_>, name: &str, [old, new]: [f64; 2], rest: String| {
        let line = format!("  {name:<34}{old:>10.4}{new:>11.4}   {rest}");
        writeln!(f, "{}", line.trim_end())
    };
    let interval = |difference: &Difference, margin: f64| {
        let text = format!(
            "{:+.4} ({:+.4} to {:+.4})",
            difference.value, difference.low, difference.high
        );
        format!("{text:<31}{margin}")
    };
    let Figures {
        nats,
        nats_difference,
        false_alarms,
        false_alarms_difference,
        coverage,
        coverage_error_difference,
        recall,
        rank,
        step_us,
    } = figures;
    row(
        f,
        "forecast error (nats)",
        *nats,
        interval(nats_difference, limits.nats),
    )?;
    row(
        f,
        "false alarms (share of samples)",
        *false_alarms,
        interval(false_alarms_difference, limits.false_alarms),
    )?;
    row(
        f,
        "coverage of the 90 % interval",
        *coverage,
        interval(coverage_error_difference, limits.coverage),
    )?;
    if let Some(recall) = recall {
        row(
            f,
            "faults found at 1 in 200 flagged",
            *recall,
            String::new(),
        )?;
    }
    if let Some(rank) = rank {
        row(f, "mean rank of faults", *rank, String::new())?;
    }
    row(
        f,
        "time of a step (µs, batch 128)",
        *step_us,
        format!("{:<31}{}", "", limits.step_us),
    )
}
