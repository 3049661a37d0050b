//! The overview of commands, in groups: thirty in one list are a wall.

use std::fmt::Write;

use clap::{Command, CommandFactory, FromArgMatches};

use crate::page::terminal_width;
use crate::plain;

/// As wide as the help of one command may be.
const USUAL_WIDTH: usize = 110;

/// Each with its commands, in the order in which they are met.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Watch and foretell",
        &["serve", "watch", "risks", "outlook", "series", "feedback"],
    ),
    (
        "Issues and what is done about them",
        &[
            "issues",
            "plan",
            "plans",
            "approve",
            "refuse",
            "cancel",
            "undo",
            "outcomes",
            "strategies",
        ],
    ),
    (
        "Health and safety",
        &["health", "safety", "brake", "release", "audit", "decide"],
    ),
    (
        "Learn and judge",
        &[
            "capture", "replay", "eval", "dataset", "rig", "models", "train", "simulate",
        ],
    ),
    (
        "About this program",
        &[
            "doctor",
            "detectors",
            "features",
            "config",
            "completions",
            "help",
        ],
    ),
];

/// Parses the command line; ends the process, as clap does, where that makes no sense or help is asked for.
///
/// # Errors
/// Never but for a mistake of ours.
pub(crate) fn parse<T: CommandFactory + FromArgMatches>() -> anyhow::Result<T> {
    let columns = terminal_width().map_or(USUAL_WIDTH, |columns| columns.clamp(60, USUAL_WIDTH));
    let matches = grouped(T::command(), columns).get_matches();
    Ok(T::from_arg_matches(&matches)?)
}

/// The command with an overview that shows its subcommands in groups.
fn grouped(mut command: Command, columns: usize) -> Command {
    // Only a built command has `help` among its subcommands.
    command.build();
    let styles = command.get_styles().clone();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let names = command.get_subcommands().map(|one| one.get_name().len());
    let width = names.max().unwrap_or(0);
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (title, names) in GROUPS {
        let _ = write!(text, "\n{header}{title}:{header:#}\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(|about| about.to_string()).unwrap_or_default();
            let gap = width + 4;
            let lines = plain::fold(about.trim_end_matches('.'), columns.saturating_sub(gap));
            let about = lines.join(&format!("\n{:gap$}", ""));
            let pad = width + 2 - name.len();
            let _ = writeln!(text, "  {literal}{name}{literal:#}{:pad$}{about}", "");
        }
    }
    let _ = write!(
        text,
        "\n{header}Options:{header:#}\n{{options}}{{after-help}}"
    );
    command.help_template(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;

    use super::*;

    #[test]
    fn every_command_stands_in_one_group_and_has_room_on_a_line() {
        let mut command = crate::Cli::command();
        command.build();
        let shown: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        let there: BTreeSet<&str> = command
            .get_subcommands()
            .filter(|one| !one.is_hide_set())
            .map(Command::get_name)
            .collect();
        assert_eq!(shown.iter().copied().collect::<BTreeSet<_>>(), there);
        assert_eq!(shown.len(), there.len());
    }

    #[test]
    fn the_overview_fits_a_terminal() {
        let text = grouped(crate::Cli::command(), 80).render_help();
        let text = text.to_string();
        let groups = text
            .lines()
            .skip_while(|line| !line.starts_with("Watch and"));
        let mut groups = groups.take_while(|line| !line.starts_with("Options"));
        assert!(groups.all(|line| line.chars().count() <= 80), "{text}");
        expect![[r#"
            Watches infrastructure metrics, says what is odd and what runs out, and plans what to do about it

            Usage: forestall <COMMAND>

            Watch and foretell:
              serve          Watches this machine, and whatever is pushed over gRPC, until
                             Ctrl-C
              watch          Shows, live, what runs out and when, and which series are odd
                             and why
              risks          Prints the current risk of series, riskiest first
              outlook        Says what will run out and when: memory, processor, disk,
                             connections, descriptors, threads, dependencies
              series         Lists the series that a running server watches
              feedback       Confirms or dismisses an alert, which moves the threshold of
                             its series; or lists what was said

            Issues and what is done about them:
              issues         Lists issues, tells the story of one, and takes what people say
                             about it
              plan           Thinks an issue over now: shows the plan that comes of it, and
                             why it is this one
              plans          Lists plans, shows one as its reviewer needs it, and explains
                             how it came about
              approve        Shows a plan, asks, approves it, and waits until it is carried
                             out
              refuse         Says no to a plan that waits for approval
              cancel         Stops a plan, and undoes what was done of it
              undo           Undoes a plan that was carried out
              outcomes       Lists plans that were judged, newest first: what was foretold,
                             what was measured
              strategies     Lists the strategies: what for, what they do, how often they
                             helped

            Health and safety:
              health         Shows the health score, overall and by area, with what lowered
                             it
              safety         Shows phase, brake, limits, windows, freezes, policies, and who
                             may decide
              brake          Holds everything: no step is carried out until a person
                             releases it
              release        Releases the brake
              audit          Lists what happened, and proves that nobody changed it: each
                             entry holds the hash of the one before
              decide         Makes a recorded decision again, and says whether it comes out
                             the same

            Learn and judge:
              capture        Shows what is written down for learning, and marks who
                             interfered when
              replay         Replays recorded metrics and says what was odd
              eval           Measures the accuracy of the engine on labelled data
              dataset        Describes, checks, merges, cuts and exports captured data, and
                             imports public data sets
              rig            Makes something run out on this machine, in a bounded sandbox
              models         Lists, verifies, compares and promotes models
              train          Trains the forecasting model, the forest, the calibrator, or
                             the models of exhaustion
              simulate       Generates labelled episodes: resources that run out, and
                             resources that do not

            About this program:
              doctor         Says which runtime models run on and why, and whether all is
                             well
              detectors      Lists the detectors with their options and defaults
              features       Lists the features that detectors see, with their units
              config         Prints the documented defaults, or checks a file
              completions    Prints a completion script for a shell
              help           Print this message or the help of the given subcommand(s)

            Options:
              -h, --help     Print help
              -V, --version  Print version

            First steps:
              forestall serve                           watch this machine
              forestall watch                           see, live, what is odd (in a second terminal)
              forestall outlook                         what runs out, and when
              forestall issues                          what is wrong or will be, and the plan for it
              forestall replay FILE --plot out.html     judge recorded metrics
        "#]].assert_eq(&text);
    }
}
