//! Which names are those of secrets.

use std::path::Path;

/// A name that has one of these anywhere is that of a secret, in lower case.
const STEMS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "credential",
    "authorization",
    "masterauth",
    "cookie",
    "privatekey",
    "accesskey",
    "apikey",
    "signature",
    "webhook",
];

/// A name that ends with one of these is, where it is not one of [`HARMLESS`].
const ENDINGS: [&str; 4] = ["pass", "key", "pw", "psk"];

/// A name that has one of these as a word of its own is.
const WORDS: [&str; 10] = [
    "pass", "key", "keys", "pw", "psk", "cred", "creds", "pin", "salt", "dsn",
];

const HARMLESS: [&str; 5] = ["bypass", "compass", "monkey", "hotkey", "turkey"];

/// What is no secret even behind such a name: whether passwords are allowed must be seen.
const PLAIN: [&str; 10] = [
    "yes", "no", "true", "false", "on", "off", "none", "null", "enabled", "disabled",
];

/// Whether a name is that of a secret: letters, digits, `_`, `-`, `.`.
pub(super) fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    STEMS.iter().any(|stem| lower.contains(stem))
        || words(name).any(|word| {
            let word = word.to_ascii_lowercase();
            let ends = ENDINGS.iter().any(|ending| word.ends_with(ending));
            (ends && !HARMLESS.contains(&word.as_str())) || WORDS.contains(&word.as_str())
        })
}

/// Files that have secrets without names, in lines such as `host:port:database:user:password`.
const FILES: [&str; 7] = [
    ".pgpass",
    "pgpass.conf",
    "shadow",
    "gshadow",
    ".vault_pass",
    "chap-secrets",
    "pap-secrets",
];

/// Folders whose files are nothing but a secret each, as containers get them.
const FOLDERS: [&str; 3] = ["secret", "secrets", ".secrets"];

/// Whether nothing of a file should be shown.
pub(in crate::drift) fn is_secret_file(path: &Path) -> bool {
    let named = |name: &std::ffi::OsStr, list: &[&str]| list.iter().any(|known| name == *known);
    let folders = path.parent().into_iter().flat_map(Path::iter);
    path.file_name().is_some_and(|name| named(name, &FILES))
        || folders.into_iter().any(|name| named(name, &FOLDERS))
}

/// Whether a value is no secret whatever its name.
pub(super) fn is_plain(value: &str) -> bool {
    let value = value.trim_matches(|c: char| c.is_whitespace() || "\"',;".contains(c));
    PLAIN.iter().any(|plain| value.eq_ignore_ascii_case(plain))
}

/// `apiKey`, `API_KEY` and `api.key` are two words each.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    parts.flat_map(|part| {
        let bytes = part.as_bytes();
        let mut rest = Some(0);
        std::iter::from_fn(move || {
            let begin = rest?;
            let hump =
                |&i: &usize| bytes[i].is_ascii_uppercase() && bytes[i - 1].is_ascii_lowercase();
            let end = (begin + 1..bytes.len()).find(hump);
            rest = end;
            part.get(begin..end.unwrap_or(bytes.len()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "apiKey",
            "API_KEY",
            "api.key",
            "sshkey",
            "requirepass",
            "rootpw",
            "client_secret",
            "aws_secret_access_key",
            "wpa_psk",
            "token",
            "keys",
            "PGPASSWORD",
            "key",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn other_names() {
        for name in [
            "monkey",
            "keyboard",
            "keepalive",
            "passive",
            "bypass",
            "host",
            "",
            "-",
            "pinned",
            "Keyring",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn whether_something_is_allowed_is_no_secret() {
        assert!(
            ["no", "\"Yes\",", " off;", "null"]
                .into_iter()
                .all(is_plain)
        );
        assert!(!["nope", "", "1"].into_iter().any(is_plain));
    }

    #[test]
    fn files_that_are_secret_as_a_whole() {
        let is = |path: &str| is_secret_file(Path::new(path));
        assert!(is("/srv/app/.pgpass") && is("/run/secrets/db") && is("secrets/a/b"));
        assert!(!is("/etc/pam.d/password-auth") && !is("/etc/secrets.yaml") && !is("/") && !is(""));
    }
}
