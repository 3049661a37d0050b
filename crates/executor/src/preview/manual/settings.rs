//! What runs with what: limits, parameters, configuration.

use remedy::Kind;

use super::super::quantity::{argument, quantity, whole};
use super::super::quote::{Dialect, command, command_on, plain, sql_part, sql_text};
use super::workload::{kubectl, resource, set_property, unit};
use super::{Manager, Manual, Subject, database, words};

pub(super) fn set_limit(subject: &Subject, limit: &str, to: f64) -> Manual {
    let is_database = subject.target.kind() == Kind::Database;
    if is_database && limit == "max_connections" {
        return set_parameter(subject, limit, &whole(to).unwrap_or_default());
    }
    let bytes = whole(to).filter(|_| limit == "memory_bytes");
    let cores = argument(to).filter(|_| limit == "cpu_cores");
    let percent = whole(to * 100.0).filter(|_| limit == "cpu_cores");
    let (space, what) = resource(subject);
    let text = match (subject.manager(), bytes, cores, percent) {
        (Manager::Systemd, Some(bytes), ..) => set_property(subject, &format!("MemoryMax={bytes}")),
        (Manager::Systemd, .., Some(percent)) => {
            set_property(subject, &format!("CPUQuota={percent}%"))
        }
        (Manager::Kubernetes, Some(bytes), ..) => kubectl(
            &space,
            &[
                "set",
                "resources",
                &what,
                &format!("--limits=memory={bytes}"),
            ],
        ),
        (Manager::Kubernetes, _, Some(cores), _) => kubectl(
            &space,
            &["set", "resources", &what, &format!("--limits=cpu={cores}")],
        ),
        (Manager::Docker, Some(bytes), ..) => command_on(
            &["docker", "update", &format!("--memory={bytes}")],
            &[subject.name()],
        ),
        (Manager::Docker, _, Some(cores), _) => command_on(
            &["docker", "update", &format!("--cpus={cores}")],
            &[subject.name()],
        ),
        _ => {
            let unit = if limit.ends_with("_bytes") {
                "bytes"
            } else {
                ""
            };
            return words(format!(
                "set the limit {} of {} to {}",
                plain(limit, 100),
                subject.target,
                quantity(to, unit)
            ));
        }
    };
    Manual::shell(text)
}

pub(super) fn set_parameter(subject: &Subject, parameter: &str, to: &str) -> Manual {
    if subject.target.kind() == Kind::Database && !parameter.is_empty() && !to.is_empty() {
        match database::dialect(subject) {
            Some(Dialect::Postgres) => {
                return Manual::sql(format!(
                    "ALTER SYSTEM SET {} = {}; SELECT pg_reload_conf();",
                    sql_part(Dialect::Postgres, parameter),
                    sql_text(Dialect::Postgres, to)
                ));
            }
            Some(Dialect::MySql) => {
                // Numbers in quotes are refused for parameters that are numbers.
                let value = match to.parse::<u64>() {
                    Ok(number) => number.to_string(),
                    Err(_) => sql_text(Dialect::MySql, to),
                };
                let name = sql_part(Dialect::MySql, parameter);
                return Manual::sql(format!("SET PERSIST {name} = {value};"));
            }
            None => {}
        }
    }
    if subject.target.kind() == Kind::Host && !parameter.starts_with('-') && parameter.contains('.')
    {
        return Manual::shell(command(&["sysctl", "-w", &format!("{parameter}={to}")]));
    }
    words(format!(
        "set {} of {} to {:?}, and make it read its configuration again",
        plain(parameter, 100),
        subject.target,
        plain(to, 200)
    ))
}

pub(super) fn reload(subject: &Subject) -> Manual {
    if subject.target.kind() == Kind::Database
        && subject.manager() == Manager::Other
        && database::dialect(subject) == Some(Dialect::Postgres)
    {
        return Manual::sql("SELECT pg_reload_conf();".to_owned());
    }
    match subject.manager() {
        Manager::Systemd => Manual::shell(command_on(&["systemctl", "reload"], &[&unit(subject)])),
        Manager::Docker => Manual::shell(command_on(
            &["docker", "kill", "--signal=HUP"],
            &[subject.name()],
        )),
        Manager::Kubernetes if matches!(subject.target.kind(), Kind::Service | Kind::Instance) => {
            let (space, what) = resource(subject);
            Manual::shell(kubectl(&space, &["exec", &what, "--", "kill", "-HUP", "1"]))
        }
        Manager::Kubernetes | Manager::Other => words(format!(
            "make what serves {} read its configuration again",
            subject.target
        )),
    }
}
