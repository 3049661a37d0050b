//! `replay --plot`: one HTML file that needs nothing else, to judge series, scores and events at a glance.

mod axis;
mod fan;
mod lanes;
mod marks;
mod panel;
mod told;
mod track;

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use proto::v1::Outlook;

use self::panel::escaped;
use self::track::{MAX_COLUMNS, Track};
use super::row::{Observer, Row};
use series::Timestamp;

use crate::dates::TimeForm;
use crate::numbers::grouped;

/// Most series on a page: more would not be looked at.
const MAX_PANELS: usize = 50;
/// Columns over all tracks, so that a file of many series stays in memory too: about 100 bytes each.
const ALL_COLUMNS: usize = 400_000;

/// Gathers what is drawn, series by series.
#[derive(Debug)]
pub(crate) struct Plot {
    members: Vec<&'static str>,
    threshold: f32,
    tracks: Vec<Track>,
    /// Place in `tracks` by series, of the file under way.
    places: HashMap<usize, usize>,
    file: String,
    n_files: usize,
    n_rows: u64,
    /// What was said of resources at the end of each file.
    outlooks: Vec<Outlook>,
}

impl Plot {
    /// Of nothing yet. `threshold`: the alert score from which events open.
    pub(crate) fn new(members: &[&'static str], threshold: f32) -> Self {
        Self {
            members: members.to_vec(),
            threshold,
            tracks: Vec::new(),
            places: HashMap::new(),
            file: String::new(),
            n_files: 0,
            n_rows: 0,
            outlooks: Vec::new(),
        }
    }

    /// Adds what is said of resources, to be drawn before the series.
    pub(crate) fn foretell(&mut self, outlooks: &[Outlook]) {
        self.outlooks.extend_from_slice(outlooks);
    }

    /// Writes the page.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn finish(mut self, path: &Path) -> anyhow::Result<()> {
        let page = self.page();
        std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))
    }

    fn page(&mut self) -> String {
        self.tracks.retain(|track| !track.columns.is_empty());
        // Stable, so that equals keep the order of the input.
        self.tracks.sort_by(|a, b| b.peak.total_cmp(&a.peak));
        let events: usize = self.tracks.iter().map(|track| track.spans.len()).sum();
        let mut page = String::new();
        let _ = write!(
            page,
            "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>forestall: {0}</title>\n<style>\n{1}</style>\n<h1>{0}</h1><p>{2} samples of {3} series in {4} \
             file{5} · {events} events · forestall {6}</p>",
            escaped(&self.title()),
            css(!self.outlooks.is_empty()),
            grouped(self.n_rows),
            grouped(self.tracks.len() as u64),
            self.n_files,
            if self.n_files == 1 { "" } else { "s" },
            env!("CARGO_PKG_VERSION"),
        );
        if !self.outlooks.is_empty() {
            page.push_str("<h1 class=part>What runs out</h1>");
            fans(&mut page, &self.outlooks);
            page.push_str("<h1 class=part>What was odd</h1>");
        }
        if self.tracks.len() > MAX_PANELS {
            let _ = write!(
                page,
                "<p>Only the {MAX_PANELS} series with the highest alert scores are drawn.</p>"
            );
        }
        page.push_str(KEY);
        if self.tracks.iter().any(|track| track.has_labels) {
            page.push_str(
                "<li><i style=\"background:var(--label)\"></i>labelled an anomaly in the file</li>",
            );
        }
        page.push_str("</ul>\n");
        for track in self.tracks.iter().take(MAX_PANELS) {
            // Many a file has one series, called `value`: then the file's name tells more.
            let title = match self.n_files {
                1 => track.name.clone(),
                _ => format!("{}: {}", file_name(&track.file), track.name),
            };
            panel::write(&mut page, track, &title, &self.members, self.threshold);
        }
        let _ = write!(page, "<script>\n{}</script>\n", include_str!("page.js"));
        page
    }

    fn title(&self) -> String {
        match self.n_files {
            1 if self.file == "-" => "standard input".to_owned(),
            1 => file_name(&self.file),
            n => format!("{n} files"),
        }
    }

    /// Columns that each track may have, given how many there are.
    fn most_columns(&self) -> usize {
        (ALL_COLUMNS / self.tracks.len().max(1)).clamp(16, MAX_COLUMNS)
    }
}

fn file_name(file: &str) -> String {
    Path::new(file)
        .file_name()
        .map_or(file.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The style of the page, and of forecasts where there are any.
fn css(has_outlooks: bool) -> String {
    let mut text = include_str!("page.css").to_owned();
    if has_outlooks {
        text.push_str(include_str!("outlook.css"));
    }
    text
}

/// Forecasts with what their colours mean.
fn fans(page: &mut String, outlooks: &[Outlook]) {
    page.push_str(FAN_KEY);
    fan::clip(page);
    let left = outlooks.len().saturating_sub(MAX_PANELS);
    if left > 0 {
        let all = grouped(outlooks.len() as u64);
        let _ = write!(
            page,
            "<p>Only the first {MAX_PANELS} of {all} resources are drawn; {} are not.</p>",
            grouped(left as u64)
        );
    }
    for outlook in outlooks.iter().take(MAX_PANELS) {
        fan::write(page, outlook);
    }
    let _ = write!(page, "<script>\n{}</script>\n", include_str!("outlook.js"));
}

/// Draws forecasts into a file of their own; how many are not drawn, because nobody would look at so many.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn draw_outlooks(path: &Path, outlooks: &[Outlook]) -> anyhow::Result<usize> {
    let newest = outlooks.iter().map(|outlook| outlook.time_us).max();
    let newest = newest.filter(|us| *us != 0).map(|us| {
        let at = TimeForm::Date.write(Timestamp::from_micros(us));
        format!(" · as of {at} UTC")
    });
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>forestall: what runs out</title>\n<style>\n{}</style>\n<h1>What runs out</h1><p>{} resource{}{} · \
         forestall {}</p>\n",
        css(true),
        outlooks.len(),
        if outlooks.len() == 1 { "" } else { "s" },
        newest.unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
    );
    fans(&mut page, outlooks);
    std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))?;
    Ok(outlooks.len().saturating_sub(MAX_PANELS))
}

/// What the colours of a forecast mean.
const FAN_KEY: &str = "<ul class=key><li><i style=\"background:var(--value)\"></i>what is used</li>\
<li><i style=\"background:var(--fan)\"></i>where it may go: 5 to 95 %, dashed the median</li>\
<li><i style=\"background:var(--limit)\"></i>the limit</li>\
<li><i style=\"background:var(--left)\"></i>when it is exhausted: 5 to 95 %</li></ul>\n";

/// What the colours mean.
const KEY: &str = "<ul class=key><li><i style=\"background:var(--value)\"></i>value (of a counter: its rate)</li>\
<li><i style=\"background:var(--band)\"></i>expected</li>\
<li><i style=\"background:var(--score)\"></i>score: 0.99 is exceeded by 1 in 100 normal samples</li>\
<li><i style=\"background:var(--alert)\"></i>alert score: events open at the dashed line</li>\
<li><i style=\"background:var(--event)\"></i>event</li>";

impl Observer for Plot {
    fn row(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        self.n_rows += 1;
        if self.n_files == 0 || self.file != row.file {
            row.file.clone_into(&mut self.file);
            self.n_files += 1;
            self.places.clear();
        }
        let most = self.most_columns();
        let tracks = &mut self.tracks;
        let place = *self.places.entry(row.series_idx).or_insert_with(|| {
            tracks.push(Track::new(row.file, row.series));
            tracks.len() - 1
        });
        tracks[place].take(row, most);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlook::tests::leak;

    #[test]
    fn what_is_not_drawn_is_counted() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("out.html");
        let drawn = |n: usize| {
            let left = draw_outlooks(&path, &vec![leak(); n]).expect("it can be written");
            let page = std::fs::read_to_string(&path).expect("it was written");
            (left, page.matches("<section").count(), page)
        };
        let (left, panels, page) = drawn(50);
        assert_eq!((left, panels), (0, 50));
        assert!(!page.contains("are not."));
        let (left, panels, page) = drawn(53);
        assert_eq!((left, panels), (3, 50));
        assert!(page.contains("Only the first 50 of 53 resources are drawn; 3 are not."));
    }
}
