//! Who answers, and who may ask.

use remedy::{EntityId, Kind};

use super::super::quantity::{duration, rounded, whole};
use super::super::quote::{command, command_on, plain};
use super::{Manager, Manual, Subject, words};

pub(super) fn drain(subject: &Subject, timeout_s: f64) -> Manual {
    let is_node = subject.target.kind() == Kind::Host && subject.manager() == Manager::Kubernetes;
    match whole(timeout_s).filter(|_| is_node) {
        Some(timeout) => Manual::shell(command_on(
            &[
                "kubectl",
                "drain",
                "--ignore-daemonsets",
                "--delete-emptydir-data",
                &format!("--timeout={timeout}s"),
            ],
            &[subject.name()],
        )),
        None => words(format!(
            "take {} out of the balance, and wait until what it does is done, for {} at most",
            subject.target,
            duration(timeout_s)
        )),
    }
}

pub(super) fn undrain(subject: &Subject) -> Manual {
    if subject.target.kind() == Kind::Host && subject.manager() == Manager::Kubernetes {
        return Manual::shell(command_on(&["kubectl", "uncordon"], &[subject.name()]));
    }
    words(format!("put {} back into the balance", subject.target))
}

pub(super) fn shed(subject: &Subject, share: f64) -> Manual {
    words(format!(
        "make what stands before {} refuse {} % of the requests with 503, those of least priority first",
        subject.target,
        rounded(share * 100.0)
    ))
}

pub(super) fn admit(subject: &Subject) -> Manual {
    words(format!(
        "make what stands before {} refuse none any more",
        subject.target
    ))
}

pub(super) fn breaker(subject: &Subject, callee: &EntityId, what: &str) -> Manual {
    words(format!(
        "{what} the circuit breaker of {} towards {callee}",
        subject.target
    ))
}

pub(super) fn fail_over(subject: &Subject, from: &EntityId, to: &EntityId) -> Manual {
    if subject.shared("manager") == Some("patroni") {
        let cluster = subject.own("cluster").unwrap_or_else(|| subject.name());
        return Manual::shell(command_on(
            &[
                "patronictl",
                "switchover",
                &format!("--leader={}", from.name()),
                &format!("--candidate={}", to.name()),
                "--force",
            ],
            &[cluster],
        ));
    }
    words(format!(
        "make {to} serve {} instead of {from}",
        subject.target
    ))
}

pub(super) fn capture(subject: &Subject, what: &str) -> Manual {
    let pid = subject.own("pid").and_then(|pid| pid.parse::<u32>().ok());
    let is_java = subject.shared("runtime") == Some("java");
    match (what, pid) {
        ("stacks", Some(pid)) if is_java => {
            Manual::shell(command(&["jcmd", &pid.to_string(), "Thread.print"]))
        }
        ("heap", Some(pid)) if is_java => Manual::shell(command(&[
            "jcmd",
            &pid.to_string(),
            "GC.heap_dump",
            "heap.hprof",
        ])),
        ("stacks", Some(pid)) => Manual::shell(command(&["eu-stack", &format!("--pid={pid}")])),
        _ => words(format!(
            "write down {} of {} before anything changes it",
            plain(what, 200),
            subject.target
        )),
    }
}
