//! The figures as tables.

use std::io::{self, Write};

use eval::incidents::Card;
use eval::spread::Measure;

use super::{ENGINE, Exam, Sort};
use crate::table::{Align, Table};

const COLUMNS: usize = 150;

pub(super) fn write(out: &mut dyn Write, exam: &Exam, cards: &[Card]) -> io::Result<()> {
    let sorts = [
        Sort::Plain,
        Sort::Overlapping,
        Sort::Misleading,
        Sort::Quiet,
    ];
    let counts = sorts.map(|sort| {
        let n = exam.sorts.iter().filter(|one| **one == sort).count();
        format!("{n} {}", sort.name())
    });
    writeln!(
        out,
        "{} scenarios: {}. Intervals: 90 %, over scenarios.\n",
        exam.sorts.len(),
        counts.join(", ")
    )?;
    let parts = cards.chunk_by(|a, b| a.part == b.part);
    for of_part in parts {
        figures(out, of_part)?;
        if let Some(card) = of_part.iter().find(|card| card.name == ENGINE) {
            classes(out, card)?;
        }
    }
    wrong(out, exam)?;
    missed(out, exam)
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Overlapping => "overlapping",
            Self::Misleading => "misleading",
            Self::Quiet => "quiet",
        }
    }
}

fn share(value: f64) -> String {
    if value.is_nan() {
        return "-".to_owned();
    }
    format!("{value:.2}")
}

fn measure(measure: &Measure) -> String {
    if measure.value.is_nan() {
        return "-".to_owned();
    }
    format!(
        "{:.2} [{:.2}, {:.2}]",
        measure.value, measure.low, measure.high
    )
}

fn minutes(measure: &Measure) -> String {
    if measure.value.is_nan() {
        return "-".to_owned();
    }
    let [value, low, high] = [measure.value, measure.low, measure.high].map(|s| s / 60.0);
    format!("{value:.1} [{low:.1}, {high:.1}]")
}

fn figures(out: &mut dyn Write, cards: &[Card]) -> io::Result<()> {
    let Some(first) = cards.first() else {
        return Ok(());
    };
    writeln!(
        out,
        "{}: {} scenarios, {} of them quiet; {} issues expected",
        first.part, first.n_scenarios, first.n_quiet, first.n_expected
    )?;
    let mut columns = vec![("", Align::Left)];
    columns.extend(cards.iter().map(|card| (card.name.as_str(), Align::Right)));
    let mut table = Table::new(&columns);
    let mut row = |name: &str, cell: &dyn Fn(&Card) -> String| {
        table.row(std::iter::once(name.to_owned()).chain(cards.iter().map(cell)));
    };
    row("macro-F1 of the class", &|card| measure(&card.macro_f1));
    row("found, of them too early", &|card| {
        format!("{} of {}, {}", card.n_found, card.n_expected, card.n_early)
    });
    row("top-1 of the strategy", &|card| measure(&card.top_1));
    row("top-1, or one that may pass", &|card| measure(&card.fair_1));
    row("top-3", &|card| measure(&card.top_3));
    row("top-1 of the issues found", &|card| {
        measure(&card.top_1_found)
    });
    row("top-3 of the issues found", &|card| {
        measure(&card.top_3_found)
    });
    row("wrong actions per scenario", &|card| measure(&card.wrong));
    row("  harmful/a person's/for nothing", &|card| {
        let [harmful, person, nothing] = card.n_wrong;
        format!("{harmful}/{person}/{nothing} of {} plans", card.n_plans)
    });
    row("abstained, a plan was labelled", &|card| {
        measure(&card.abstained)
    });
    row("  of those found", &|card| {
        format!("{} of {}", card.n_abstained[1], card.n_abstained[0])
    });
    row("abstained, rightly", &|card| {
        format!("{} of {}", card.n_left[1], card.n_left[0])
    });
    row("duplicates per scenario", &|card| measure(&card.duplicates));
    row("false alarms per scenario", &|card| {
        measure(&card.false_alarms)
    });
    row("quiet scenarios left in quiet", &|card| {
        measure(&card.quiet)
    });
    row("minutes before the rule, median", &|card| {
        minutes(&card.lead_s)
    });
    row("decisions per scenario", &|card| measure(&card.decisions));
    table.write(out, "  ")?;
    writeln!(out)
}

fn classes(out: &mut dyn Write, card: &Card) -> io::Result<()> {
    writeln!(out, "{}: {} by class", card.part, card.name)?;
    let right = |name| (name, Align::Right);
    let mut table = Table::new(&[
        ("class", Align::Left),
        right("expected"),
        right("found"),
        right("false"),
        right("precision"),
        right("recall"),
        right("F1"),
        right("top-1"),
        right("top-3"),
        right("minutes before the rule"),
    ]);
    for row in &card.classes {
        table.row([
            row.class.clone(),
            row.n.to_string(),
            row.n_found.to_string(),
            row.n_false.to_string(),
            share(row.precision),
            share(row.recall),
            share(row.f1),
            share(row.top_1),
            share(row.top_3),
            share(row.lead_s / 60.0),
        ]);
    }
    table.write(out, "  ")?;
    writeln!(out)
}

fn wrong(out: &mut dyn Write, exam: &Exam) -> io::Result<()> {
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("plan", Align::Left),
        ("of", Align::Left),
        ("class", Align::Left),
        ("minute", Align::Right),
        ("wrong because", Align::Left),
    ]);
    for (incident, marked) in engine(exam) {
        for one in &marked.wrong {
            table.row([
                incident.name.clone(),
                one.strategy.clone(),
                one.entity.clone(),
                one.class.clone(),
                format!("{:.0}", one.at_s / 60.0),
                one.how.name().to_owned(),
            ]);
        }
    }
    if table.is_empty() {
        return writeln!(out, "No wrong action.\n");
    }
    writeln!(out, "Wrong actions of {ENGINE}")?;
    table.write_within(out, "  ", COLUMNS, &[2])?;
    writeln!(out)
}

/// What was not found, and what was found that is not there.
fn missed(out: &mut dyn Write, exam: &Exam) -> io::Result<()> {
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("what", Align::Left),
        ("class", Align::Left),
        ("entity", Align::Left),
    ]);
    for (incident, marked) in engine(exam) {
        let labels = incident.expected.iter().filter(|label| !label.is_optional);
        for (expected, outcome) in labels.zip(&marked.outcomes) {
            if !outcome.is_found {
                let entity = expected.entities.first().cloned().unwrap_or_default();
                let cells = [
                    incident.name.clone(),
                    "missed".to_owned(),
                    expected.class.clone(),
                    entity,
                ];
                table.row(cells);
            }
        }
        for (class, entity, at_s) in &marked.false_alarms {
            table.row([
                incident.name.clone(),
                format!("false alarm at minute {:.0}", at_s / 60.0),
                class.clone(),
                entity.clone(),
            ]);
        }
        if marked.n_duplicates > 0 {
            table.row([
                incident.name.clone(),
                format!("{} more for one cause", marked.n_duplicates),
                String::new(),
                String::new(),
            ]);
        }
    }
    if table.is_empty() {
        return writeln!(out, "Nothing was missed, and nothing was a false alarm.");
    }
    writeln!(out, "Missed, and false alarms of {ENGINE}")?;
    table.write_within(out, "  ", COLUMNS, &[3])
}

/// The scenarios with what the planner made of them.
fn engine(
    exam: &Exam,
) -> impl Iterator<Item = (&eval::incidents::Incident, &eval::incidents::Marked)> {
    let marked = exam.marked.iter().find(|(name, _)| *name == ENGINE);
    exam.incidents
        .iter()
        .zip(marked.into_iter().flat_map(|(_, marked)| marked))
}
