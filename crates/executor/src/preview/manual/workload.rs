//! What runs: processes, containers, pods, and the services made of them.

use remedy::Kind;

use super::super::quantity::whole;
use super::super::quote::{command, command_on};
use super::{Manager, Manual, Subject, words};

/// The name of the unit; services and instances are mostly called without the suffix.
pub(super) fn unit(subject: &Subject) -> String {
    let name = subject.own("unit").unwrap_or_else(|| subject.name());
    let suffixes = [
        ".service", ".socket", ".timer", ".slice", ".scope", ".mount",
    ];
    if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
        return name.to_owned();
    }
    format!("{name}.service")
}

/// Namespace and `kind/name`, as `kubectl` takes them. A name `shop/api` holds its namespace; without one it is that of
/// whoever runs the command.
pub(super) fn resource(subject: &Subject) -> (String, String) {
    let (own_space, name) = match subject.name().split_once('/') {
        Some((space, name)) => (Some(space), name),
        None => (None, subject.name()),
    };
    let space = own_space.or_else(|| subject.shared("namespace"));
    let kind = match subject.target.kind() {
        Kind::Instance => "pod",
        Kind::Host => "node",
        Kind::Service
        | Kind::Volume
        | Kind::Database
        | Kind::Certificate
        | Kind::Package
        | Kind::Configuration => match subject.own("workload") {
            Some("statefulset") => "statefulset",
            Some("daemonset") => "daemonset",
            _ => "deployment",
        },
    };
    (
        space.unwrap_or_default().to_owned(),
        format!("{kind}/{name}"),
    )
}

/// `kubectl -n NAMESPACE` and the words after it. `-n` takes the next word whatever it begins with.
pub(super) fn kubectl(space: &str, words: &[&str]) -> String {
    let mut all = vec!["kubectl"];
    if !space.is_empty() {
        all.extend(["-n", space]);
    }
    all.extend(words);
    command(&all)
}

pub(super) fn restart(subject: &Subject, back_off_s: f64) -> Manual {
    let rest = whole(back_off_s).filter(|_| back_off_s > 0.0);
    match (subject.manager(), rest) {
        (Manager::Systemd, _) if subject.target.kind() == Kind::Host => Manual::shell(command(&[
            "systemctl",
            &format!("--host={}", subject.name()),
            "reboot",
        ])),
        (Manager::Systemd, None) => {
            Manual::shell(command_on(&["systemctl", "restart"], &[&unit(subject)]))
        }
        (Manager::Systemd, Some(rest)) => {
            let unit = unit(subject);
            Manual::shell(apart(
                &command_on(&["systemctl", "stop"], &[&unit]),
                &rest,
                &command_on(&["systemctl", "start"], &[&unit]),
            ))
        }
        (Manager::Docker, None) => {
            Manual::shell(command_on(&["docker", "restart"], &[subject.name()]))
        }
        (Manager::Docker, Some(rest)) => Manual::shell(apart(
            &command_on(&["docker", "stop"], &[subject.name()]),
            &rest,
            &command_on(&["docker", "start"], &[subject.name()]),
        )),
        (Manager::Kubernetes, rest) => kubernetes_restart(subject, rest),
        (Manager::Other, rest) => words(match rest {
            None => format!("stop {} in good order and start it again", subject.target),
            Some(rest) => format!(
                "stop {} in good order, wait {rest} s, and start it again",
                subject.target
            ),
        }),
    }
}

fn kubernetes_restart(subject: &Subject, rest: Option<String>) -> Manual {
    let (space, what) = resource(subject);
    if subject.target.kind() == Kind::Host {
        return words(format!(
            "drain {}, reboot it, and uncordon it",
            subject.target
        ));
    }
    if subject.target.kind() == Kind::Instance {
        return Manual::shell(kubectl(&space, &["delete", &what]));
    }
    let replicas = subject.own("replicas").and_then(|n| n.parse::<u32>().ok());
    let (Some(rest), Some(replicas)) = (rest, replicas) else {
        return Manual::shell(kubectl(&space, &["rollout", "restart", &what]));
    };
    Manual::shell(apart(
        &kubectl(&space, &["scale", &what, "--replicas=0"]),
        &rest,
        &kubectl(&space, &["scale", &what, &format!("--replicas={replicas}")]),
    ))
}

fn apart(stop: &str, rest_s: &str, start: &str) -> String {
    format!("{stop} && sleep {rest_s} && {start}")
}

pub(super) fn scale(subject: &Subject, from: u32, to: u32) -> Manual {
    match subject.manager() {
        Manager::Kubernetes => {
            let (space, what) = resource(subject);
            Manual::shell(kubectl(
                &space,
                &["scale", &what, &format!("--replicas={to}")],
            ))
        }
        Manager::Docker => Manual::shell(command(&[
            "docker",
            "compose",
            "up",
            "--detach",
            "--no-recreate",
            &format!("--scale={}={to}", subject.name()),
        ])),
        Manager::Systemd | Manager::Other => words(format!(
            "{} replicas of {}, so that there are {to} instead of {from}",
            if to > from { "start" } else { "stop" },
            subject.target
        )),
    }
}

/// Sets a property of a unit, at once and for ever.
pub(super) fn set_property(subject: &Subject, property: &str) -> String {
    command_on(&["systemctl", "set-property"], &[&unit(subject), property])
}

pub(super) fn quarantine(subject: &Subject, is_on: bool) -> Manual {
    let kind = subject.target.kind();
    let is_process = matches!(kind, Kind::Service | Kind::Instance | Kind::Database);
    match subject.manager() {
        Manager::Systemd if is_process => {
            let property = if is_on {
                "IPAddressDeny=any"
            } else {
                "IPAddressDeny="
            };
            Manual::shell(set_property(subject, property))
        }
        Manager::Kubernetes if kind == Kind::Instance => {
            let (space, what) = resource(subject);
            let label = if is_on {
                "quarantine=true"
            } else {
                "quarantine-"
            };
            Manual::shell(kubectl(&space, &["label", "--overwrite", &what, label]))
        }
        Manager::Systemd | Manager::Kubernetes | Manager::Docker | Manager::Other => {
            words(if is_on {
                format!(
                    "let the firewall admit nobody to {} but for administration",
                    subject.target
                )
            } else {
                format!(
                    "take back the rule of the firewall that shuts {} off",
                    subject.target
                )
            })
        }
    }
}

pub(super) fn jobs(subject: &Subject, is_pause: bool) -> Manual {
    let cron = subject
        .own("cronjob")
        .filter(|_| subject.manager() == Manager::Kubernetes);
    if let Some(cron) = cron {
        let (space, _) = resource(subject);
        let patch = format!("--patch={{\"spec\":{{\"suspend\":{is_pause}}}}}");
        return Manual::shell(kubectl(
            &space,
            &["patch", &format!("cronjob/{cron}"), &patch],
        ));
    }
    let timer = subject
        .own("timer")
        .filter(|_| subject.manager() == Manager::Systemd);
    if let Some(timer) = timer {
        let verb = if is_pause { "stop" } else { "start" };
        return Manual::shell(command_on(&["systemctl", verb], &[timer]));
    }
    words(if is_pause {
        format!(
            "hold back batches, backups and builds on {}",
            subject.target
        )
    } else {
        format!(
            "let batches, backups and builds on {} go on",
            subject.target
        )
    })
}
