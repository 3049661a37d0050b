//! Machines and what lies on them: volumes, files, packages, certificates.

use remedy::Kind;

use super::super::quantity::{bytes, duration, whole};
use super::super::quote::{command, command_on, plain};
use super::workload::{kubectl, resource};
use super::{Manager, Manual, Subject, is_token, words};

/// The id of the disk in the cloud. `aws` reads a file where a value begins with `file://`.
fn disk<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    subject.own("volume_id").filter(|id| is_token(id))
}

/// The logical volume. Where LVM takes one it takes a tag too, which begins with `@`.
fn device<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    subject
        .own("device")
        .filter(|device| device.starts_with("/dev/"))
}

/// Where a volume is mounted: as its attribute says, or as its name `host:mountpoint` does.
fn mountpoint<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    let named = subject.name().split_once(':').map(|(_, mount)| mount);
    let mount = subject.own("mountpoint").or(named);
    mount.filter(|mount| mount.starts_with('/'))
}

pub(super) fn clear_cache(subject: &Subject) -> Manual {
    if subject.target.kind() == Kind::Host {
        return Manual::shell("sync && sysctl -w vm.drop_caches=1".to_owned());
    }
    words(format!(
        "make {} drop what it can compute again",
        subject.target
    ))
}

pub(super) fn remove_files(subject: &Subject, pattern: &str, older_than_s: f64) -> Manual {
    // `find` is told a path below `.`: a pattern that climbs, or begins anew, would match nothing or too much.
    let is_below = !pattern.is_empty()
        && !pattern.starts_with('/')
        && pattern
            .split('/')
            .all(|part| part != ".." && !part.is_empty());
    let minutes = whole(older_than_s / 60.0);
    match (mountpoint(subject), minutes.filter(|_| is_below)) {
        (Some(mount), Some(minutes)) => Manual::shell(format!(
            "{} && {}",
            command_on(&["cd"], &[mount]),
            command(&[
                "find",
                ".",
                "-xdev",
                "-type",
                "f",
                "-path",
                &format!("./{pattern}"),
                "-mmin",
                &format!("+{minutes}"),
                "-print",
                "-delete",
            ])
        )),
        _ => words(format!(
            "on {}, remove files that match {:?} and were not written for {}",
            subject.target,
            plain(pattern, 200),
            duration(older_than_s)
        )),
    }
}

pub(super) fn rotate_logs(subject: &Subject) -> Manual {
    match mountpoint(subject) {
        Some(_) => {
            Manual::shell("logrotate --force /etc/logrotate.conf && journalctl --rotate".to_owned())
        }
        None => words(format!(
            "rotate and compress the logs on {}",
            subject.target
        )),
    }
}

pub(super) fn grow(subject: &Subject, to_bytes: f64) -> Manual {
    let Some(size) = whole(to_bytes) else {
        return words(format!("grow {}", subject.target));
    };
    if let Some(claim) = subject
        .own("pvc")
        .filter(|_| subject.manager() == Manager::Kubernetes)
    {
        let (space, _) = resource(subject);
        let patch = format!(
            "--patch={{\"spec\":{{\"resources\":{{\"requests\":{{\"storage\":\"{size}\"}}}}}}}}"
        );
        return Manual::shell(kubectl(&space, &["patch", &format!("pvc/{claim}"), &patch]));
    }
    if let Some(device) = device(subject).filter(|_| disk(subject).is_none()) {
        return Manual::shell(command_on(
            &["lvextend", "--resizefs", &format!("--size={size}b")],
            &[device],
        ));
    }
    if let Some(id) = disk(subject) {
        let gib = whole(to_bytes / 1_073_741_824.0).unwrap_or_default();
        return Manual::shell(command(&[
            "aws",
            "ec2",
            "modify-volume",
            &format!("--volume-id={id}"),
            &format!("--size={gib}"),
        ]));
    }
    words(format!(
        "grow {} to {} ({size} bytes), then the file system on it",
        subject.target,
        bytes(to_bytes)
    ))
}

pub(super) fn snapshot(subject: &Subject) -> Manual {
    if let Some(id) = disk(subject) {
        return Manual::shell(command(&[
            "aws",
            "ec2",
            "create-snapshot",
            &format!("--volume-id={id}"),
        ]));
    }
    if let Some(device) = device(subject).filter(|_| subject.target.kind() == Kind::Volume) {
        return Manual::shell(command_on(
            &[
                "lvcreate",
                "--snapshot",
                "--extents=20%ORIGIN",
                "--name=forestall-kept",
            ],
            &[device],
        ));
    }
    words(format!(
        "copy {} aside, and check that the copy can be read",
        subject.target
    ))
}

pub(super) fn restore_snapshot(subject: &Subject) -> Manual {
    words(format!(
        "stop what writes to {}, and put back the copy that was made before",
        subject.target
    ))
}

pub(super) fn renew(subject: &Subject) -> Manual {
    let name = subject.own("cert_name").unwrap_or_else(|| subject.name());
    match subject.shared("manager") {
        Some("certbot") => Manual::shell(command(&[
            "certbot",
            "renew",
            &format!("--cert-name={name}"),
            "--force-renewal",
        ])),
        Some("cert-manager" | "kubernetes" | "k8s") => {
            let (space, _) = resource(subject);
            let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
            let space = Some(format!("--namespace={space}")).filter(|_| !space.is_empty());
            let mut words = vec!["cmctl", "renew"];
            words.extend(space.as_deref());
            Manual::shell(command_on(&words, &[name]))
        }
        _ => words(format!(
            "get a new certificate for {} from its issuer, keep the old one beside it, and put the new one in place",
            subject.target
        )),
    }
}

/// Puts back the file that was kept under the same name with `.kept`.
pub(super) fn put_back(subject: &Subject, what: &str) -> Manual {
    let named = Some(subject.name()).filter(|name| name.starts_with('/'));
    match subject.own("path").or(named) {
        Some(path) => Manual::shell(command_on(
            &["cp", "--preserve=all"],
            &[&format!("{path}.kept"), path],
        )),
        None => words(format!(
            "put back the {what} that was kept of {}",
            subject.target
        )),
    }
}

pub(super) fn set_package(subject: &Subject, package: &str, to: &str) -> Manual {
    let which = |between: &str| format!("{package}{between}{to}");
    // Package managers take patterns, files and addresses too, and `name-` to remove it.
    let manager = subject.shared("package_manager");
    let text = match manager.filter(|_| is_token(package) && is_token(to)) {
        Some("apt" | "dpkg") => command_on(
            &["apt-get", "install", "--only-upgrade", "--allow-downgrades"],
            &[&which("=")],
        ),
        Some("dnf" | "yum" | "rpm") => command_on(&["dnf", "install"], &[&which("-")]),
        Some("apk") => command_on(&["apk", "add"], &[&which("=")]),
        Some("zypper") => command_on(&["zypper", "install", "--oldpackage"], &[&which("=")]),
        _ => {
            return words(format!(
                "bring {} on {} to {}, and start again what uses it",
                plain(package, 200),
                subject.target,
                plain(to, 100)
            ));
        }
    };
    Manual::shell(text)
}

pub(super) fn apply(subject: &Subject) -> Manual {
    let named = Some(subject.name()).filter(|name| name.starts_with('/'));
    let path = subject.own("path").or(named);
    match (path, subject.own("declared")) {
        (Some(path), Some(declared)) => Manual::shell(format!(
            "{} && {}",
            command_on(&["cp", "--preserve=all"], &[path, &format!("{path}.kept")]),
            command_on(&["cp"], &[declared, path])
        )),
        _ => words(format!(
            "keep {} beside itself, and make it what is declared",
            subject.target
        )),
    }
}
