//! Progress bars: on standard error, and only where a person looks at it.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts bytes of input; a spinner when the total is unknown (a pipe).
pub(crate) fn bytes(name: &str, total: Option<u64>) -> ProgressBar {
    let known =
        "{msg:<28!} {bar:30} {percent:>3} %  {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
    let unknown = "{msg:<28!} {spinner} {bytes}  {bytes_per_sec}";
    bar(name, total, if total.is_some() { known } else { unknown })
}

/// A bar that counts things, such as files.
pub(crate) fn items(name: &str, total: u64) -> ProgressBar {
    bar(
        name,
        Some(total),
        "{msg:<28!} {bar:30} {pos}/{len}  {eta} left",
    )
}

/// A bar that shows how full something is, in thousandths, and says the rest in its message.
pub(crate) fn level(name: &str) -> ProgressBar {
    let template = format!("{name:<12} {{bar:24}}  {{msg}}");
    bar("", Some(1000), &template)
}

fn bar(name: &str, total: Option<u64>, template: &str) -> ProgressBar {
    let visible = std::io::stderr().is_terminal();
    let target = if visible {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(total, target)
        .with_style(style.progress_chars("━╸ "))
        .with_message(name.to_owned())
}

/// A spinner that says what is going on, for what has no known length.
pub(crate) fn spinner(name: &str) -> ProgressBar {
    bar(
        "",
        None,
        &format!(
            "{{spinner}} {} {{elapsed}}  {{msg}}",
            name.replace(['{', '}'], "")
        ),
    )
}
