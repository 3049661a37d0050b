//! The overview of commands, in groups: thirty in one list are a wall.

use std::fmt::Write;

use clap::{Command, CommandFactory, FromArgMatches};

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
    let matches = grouped(T::command()).get_matches();
    Ok(T::from_arg_matches(&matches)?)
}

/// The command with an overview that shows its subcommands in groups.
fn grouped(mut command: Command) -> Command {
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
            let about = about.trim_end_matches('.');
            let _ = writeln!(
                text,
                "  {literal}{name}{literal:#}{:gap$}{about}",
                "",
                gap = width + 2 - name.len()
            );
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
        let text = grouped(crate::Cli::command()).render_help().to_string();
        expect![[r#""#]].assert_eq(&text);
    }
}
