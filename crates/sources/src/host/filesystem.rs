//! Mounted file systems that can fill up: bytes and inodes, and how many there are of each.

use std::collections::HashMap;
use std::path::Path;

use procfs::process::MountInfo;
use rustix::fs::StatVfs;
use series::Timestamp;

use super::probe::{Probe, Trouble};
use super::{Collector, Config, Line, Reading};

/// How often, in ticks, the list of mounts is read again. Reading it costs some 10 µs where there are few.
const REFRESH_TICKS: u32 = 3;
/// Beyond this many the rest is not reported.
const MOST_MOUNTS: usize = 64;

/// File systems that hold no files of anybody's, or cannot be written.
const PSEUDO: [&str; 27] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "erofs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
    "udf",
    "romfs",
];
/// File systems behind a network or a process: asking them may wait for ever, and this thread with them.
const REMOTE: [&str; 11] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "ceph",
    "9p",
    "virtiofs",
    "glusterfs",
    "lustre",
    "afs",
    "ocfs2",
];

type Field = (&'static str, fn(&StatVfs) -> f64);

const FIELDS: [Field; 5] = [
    ("node_filesystem_size_bytes", |s| {
        s.f_blocks as f64 * s.f_frsize as f64
    }),
    ("node_filesystem_avail_bytes", |s| {
        s.f_bavail as f64 * s.f_frsize as f64
    }),
    // With what is kept for root: the difference to the one above tells who is out of space.
    ("node_filesystem_free_bytes", |s| {
        s.f_bfree as f64 * s.f_frsize as f64
    }),
    ("node_filesystem_files", |s| s.f_files as f64),
    ("node_filesystem_files_free", |s| s.f_ffree as f64),
];

pub(super) struct Filesystems {
    mountinfo: Probe,
    mounts: Vec<Mount>,
    lines: HashMap<Mount, [Line; FIELDS.len()]>,
    /// The list as it was read last: while it stays, nothing of it is taken apart again.
    text: String,
    refresh_in: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Mount {
    point: String,
    fs_type: String,
    device: String,
}

impl Filesystems {
    pub(super) fn new(config: &Config) -> Self {
        let mountinfo = Probe::new(config.proc.join("self/mountinfo"));
        Self {
            mountinfo,
            mounts: Vec::new(),
            lines: HashMap::new(),
            text: String::new(),
            refresh_in: 0,
        }
    }
}

impl Filesystems {
    fn refresh(&mut self) -> Result<(), Trouble> {
        let text = self.mountinfo.read()?;
        if text == self.text {
            return Ok(());
        }
        self.text = text.to_owned();
        self.mounts = worth_watching(text);
        self.lines.retain(|mount, _| self.mounts.contains(mount));
        for mount in &self.mounts {
            self.lines.entry(mount.clone()).or_insert_with(|| {
                let labels = [
                    ("device", &*mount.device),
                    ("fstype", &*mount.fs_type),
                    ("mountpoint", &*mount.point),
                ];
                FIELDS.map(|(metric, _)| Line::new(metric, &labels))
            });
        }
        Ok(())
    }
}

impl Collector for Filesystems {
    fn collect(&mut self, _: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        if self.refresh_in == 0 {
            self.refresh()?;
            self.refresh_in = REFRESH_TICKS;
        }
        self.refresh_in -= 1;
        for mount in &self.mounts {
            // It may have been unmounted since, or not be ours to look at.
            let Ok(stat) = rustix::fs::statvfs(Path::new(&mount.point)) else {
                continue;
            };
            let Some(lines) = self.lines.get(mount).filter(|_| stat.f_blocks > 0) else {
                continue;
            };
            for (line, (metric, value)) in lines.iter().zip(FIELDS) {
                // Btrfs and others have no fixed number of inodes, and say 0.
                if stat.f_files > 0 || !metric.contains("_files") {
                    line.put(value(&stat), out);
                }
            }
        }
        Ok(())
    }
}

/// The mounts to report, of the text of `mountinfo`.
fn worth_watching(text: &str) -> Vec<Mount> {
    // A later mount hides an earlier one at the same point.
    let mut at_point: HashMap<String, (String, Mount)> = HashMap::new();
    for mount in text
        .lines()
        .filter_map(|line| MountInfo::from_line(line).ok())
    {
        let point = unescaped(&mount.mount_point.to_string_lossy());
        let read_only =
            mount.mount_options.contains_key("ro") || mount.super_options.contains_key("ro");
        let remote = REMOTE.contains(&&*mount.fs_type) || mount.fs_type.starts_with("fuse.");
        // Containers lay theirs under /var; the root of the container that we may be in is one that matters.
        let layered = mount.fs_type == "overlay" && point != "/";
        let system = ["/proc", "/sys", "/run/credentials"]
            .iter()
            .any(|top| Path::new(&point).starts_with(top));
        if read_only || remote || layered || system || PSEUDO.contains(&&*mount.fs_type) {
            at_point.remove(&point);
            continue;
        }
        let device = unescaped(mount.mount_source.as_deref().unwrap_or("none"));
        at_point.insert(
            point.clone(),
            (
                mount.majmin,
                Mount {
                    point,
                    fs_type: mount.fs_type,
                    device,
                },
            ),
        );
    }
    // Bind mounts show one file system at several points; the shortest path names it.
    let mut mounts: Vec<_> = at_point.into_values().collect();
    mounts.sort_by(|(_, a), (_, b)| (a.point.len(), &a.point).cmp(&(b.point.len(), &b.point)));
    let mut seen = std::collections::HashSet::new();
    mounts.retain(|(device_number, _)| seen.insert(device_number.clone()));
    mounts
        .into_iter()
        .map(|(_, mount)| mount)
        .take(MOST_MOUNTS)
        .collect()
}

/// The kernel writes blanks, tabs, line ends and backslashes in paths as three octal digits.
fn unescaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(i) = rest.find('\\') {
        out.push_str(&rest[..i]);
        let code = rest
            .get(i + 1..i + 4)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok())
            .filter(u8::is_ascii);
        out.push(code.map_or('\\', char::from));
        rest = &rest[if code.is_some() { i + 4 } else { i + 1 }..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Tree, lines};
    use super::*;

    #[test]
    fn each_file_system_is_watched_once_where_it_can_fill() {
        let text = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            28 27 254:0 /a /mnt/bind rw - ext4 /dev/vda rw\n\
            29 27 0:30 / /mnt/cd ro - tmpfs none ro\n\
            30 27 0:31 / /mnt/a\\040b rw - xfs /dev/vdb rw,inode64\n\
            31 27 0:32 / /home rw - nfs4 server:/home rw\n\
            32 27 0:33 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
            33 27 0:34 / /tmp rw - tmpfs tmpfs rw\n\
            34 27 0:35 / /tmp rw shared:1 - tmpfs over rw\n\
            35 27 0:36 / /var/lib/x rw - overlay overlay rw\nnonsense\n";
        let mounts = worth_watching(text);
        let shown: Vec<_> = mounts
            .iter()
            .map(|m| format!("{} {} {}", m.point, m.fs_type, m.device))
            .collect();
        assert_eq!(
            shown,
            [
                "/ ext4 /dev/vda",
                "/tmp tmpfs over",
                "/mnt/a b xfs /dev/vdb"
            ]
        );
    }

    #[test]
    fn a_mounted_one_shows_size_and_space() {
        let tree = Tree::new();
        let point = tree.path().to_str().unwrap().to_owned();
        tree.write(
            "proc/self/mountinfo",
            &format!("27 1 254:0 / {point} rw - ext4 /dev/vda rw\n"),
        );
        let got = lines(&mut Filesystems::new(&tree.config()), 0.0);
        let labels = format!("{{device=\"/dev/vda\",fstype=\"ext4\",mountpoint=\"{point}\"}} ");
        assert!(
            got[0].starts_with(&format!("node_filesystem_size_bytes{labels}")),
            "{got:?}"
        );
        assert!(
            got[1].starts_with(&format!("node_filesystem_avail_bytes{labels}")),
            "{got:?}"
        );
        assert!(
            got[2].starts_with(&format!("node_filesystem_free_bytes{labels}")),
            "{got:?}"
        );
    }

    #[test]
    fn one_that_is_mounted_later_is_seen_within_a_few_ticks() {
        let tree = Tree::new();
        tree.write("proc/self/mountinfo", "");
        let mut filesystems = Filesystems::new(&tree.config());
        assert!(lines(&mut filesystems, 0.0).is_empty());
        let point = tree.path().to_str().unwrap().to_owned();
        let text = format!("27 1 254:0 / {point} rw - ext4 /dev/vda rw\n");
        tree.write("proc/self/mountinfo", &text);
        let seen = (1..=REFRESH_TICKS).any(|i| !lines(&mut filesystems, f64::from(i)).is_empty());
        assert!(seen);
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(unescaped(r"a\040b\011\134"), "a b\t\\");
        assert_eq!(unescaped(r"\9\04é\377"), r"\9\04é\377");
    }
}
