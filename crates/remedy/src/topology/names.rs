//! Names of entities out of what peers wrote: always valid, never too long, and not merged by being cut.

use sha2::{Digest, Sha256};

use crate::{EntityId, Kind};

/// Longest name that is kept whole, in bytes. What [`crate::MAX_ENTITY_BYTES`] leaves beside the longest kind.
const MAX_NAME_BYTES: usize = 480;

/// An entity of this kind and name; `None` if the name is empty.
///
/// Control characters become `_`. The end of a long name gives way to a digest of the whole: two names that begin alike
/// would become one entity else, and whoever writes labels could bring that about.
pub(super) fn id(kind: Kind, name: &str) -> Option<EntityId> {
    let mut clean: String = name
        .chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .collect();
    if clean.len() > MAX_NAME_BYTES {
        let digest = Sha256::digest(name.as_bytes());
        let digest: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
        clean.truncate(clean.floor_char_boundary(MAX_NAME_BYTES - digest.len() - 1));
        clean = clean + "~" + &digest;
    }
    EntityId::new(kind, &clean).ok()
}

/// `prefix`, `separator`, `name`; the name alone if the prefix is empty.
pub(super) fn under(prefix: &str, separator: char, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}{separator}{name}")
    }
}

/// Host and port of an address as labels have it: `web-1:9100`, `[::1]:9100`, `https://web-1/metrics`. The port is empty
/// if there is none.
pub(super) fn address(text: &str) -> (&str, &str) {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split(['/', '?']).next().unwrap_or(text);
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|it| it.split_once(']')) {
        return (host, rest.strip_prefix(':').unwrap_or(""));
    }
    match text.split_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        // More than one colon: an IPv6 address without brackets, which has no port.
        Some(_) | None => (text, ""),
    }
}

/// Whether a host is whoever says so.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

/// The host of a volume named `host:path`.
pub(super) fn volume_host(name: &str) -> Option<&str> {
    let (host, _) = name.split_once(":/").or_else(|| name.split_once(':'))?;
    Some(host).filter(|host| !host.is_empty())
}

/// The workload that a pod belongs to, by how Kubernetes names pods: `api-7d9f8b6c54-x2x4z` and `api-x2x4z` are of
/// `api`, `db-0` is of `db`; `None` if it is named otherwise.
pub(super) fn workload(pod: &str) -> Option<&str> {
    // Kubernetes makes suffixes of these: no vowels, so hardly a word looks like one.
    let is_made = |text: &str| {
        let mut bytes = text.bytes();
        bytes.all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b))
    };
    let (rest, last) = pod.rsplit_once('-')?;
    let is_ordinal = (1..4).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_digit());
    let is_random = last.len() == 5 && is_made(last);
    let name = match rest.rsplit_once('-') {
        _ if is_ordinal => rest,
        Some((name, set)) if is_random && (6..=10).contains(&set.len()) && is_made(set) => name,
        // One suffix alone may be a word, as httpd is, unless there is a digit in it.
        Some(_) | None if is_random && last.bytes().any(|b| b.is_ascii_digit()) => rest,
        Some(_) | None => return None,
    };
    Some(name).filter(|name| !name.is_empty())
}

/// The service of a systemd unit, out of the path of its control group: `/system.slice/nginx.service` is of `nginx`,
/// `…/getty@tty1.service` of `getty`.
pub(super) fn unit(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?.strip_suffix(".service")?;
    let name = name.split('@').next().unwrap_or(name);
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_ENTITY_BYTES;
    use proptest::prelude::*;

    #[test]
    fn addresses_lose_their_port_and_nothing_else() {
        let check = |text, host, port| assert_eq!(address(text), (host, port), "{text}");
        check("web-1:9100", "web-1", "9100");
        check("web-1", "web-1", "");
        check("[fe80::1]:9100", "fe80::1", "9100");
        check("fe80::1", "fe80::1", "");
        check(
            "https://shop.example:8443/health?x=1",
            "shop.example",
            "8443",
        );
        check("", "", "");
    }

    #[test]
    fn workloads_are_read_off_pods() {
        let check = |pod, expected| assert_eq!(workload(pod), expected, "{pod}");
        check("api-7d9f8b6c54-x2x4z", Some("api"));
        check("shop-api-7d9f8b6c54-zzzzz", Some("shop-api"));
        check("node-exporter-x2x4z", Some("node-exporter"));
        check("db-0", Some("db"));
        check("api-cache", None);
        check("api-httpd", None);
        check("api", None);
        check("-0", None);
    }

    #[test]
    fn units_and_hosts_are_read_off_paths() {
        assert_eq!(unit("/system.slice/nginx.service"), Some("nginx"));
        assert_eq!(unit("/system.slice/getty@tty1.service"), Some("getty"));
        assert_eq!(unit("/kubepods.slice/cri-containerd-1.scope"), None);
        assert_eq!(volume_host("web-1:/data"), Some("web-1"));
        assert_eq!(volume_host("fe80::1:/data"), Some("fe80::1"));
        assert_eq!(volume_host("shop/claim"), None);
    }

    #[test]
    fn long_names_that_begin_alike_stay_apart() {
        let long = "x".repeat(2000);
        let one = id(Kind::Volume, &(long.clone() + "a")).unwrap();
        let other = id(Kind::Volume, &(long + "b")).unwrap();
        assert_ne!(one, other);
        assert_eq!(id(Kind::Host, "a\u{1b}[2J").unwrap().name(), "a_[2J");
        assert_eq!(id(Kind::Host, ""), None);
    }

    proptest! {
        #[test]
        fn whatever_is_not_empty_becomes_an_id(name in "\\PC{0,9}|.{1,600}", kind in 0..8_usize) {
            let made = id(Kind::ALL[kind], &name);
            prop_assert_eq!(made.is_some(), !name.is_empty());
            prop_assert!(made.is_none_or(|id| id.as_str().len() <= MAX_ENTITY_BYTES));
            let _ = (address(&name), workload(&name), unit(&name), volume_host(&name));
        }
    }
}
