//! What is known for a secret by its form, whatever it is called.

use super::MASK;

/// How tokens of well-known services begin, and hashes of passwords. Case matters.
const TOKENS: [&str; 30] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxs-",
    "AKIA",
    "ASIA",
    "sk_live_",
    "rk_live_",
    "sk-",
    "AIza",
    "ya29.",
    "hvs.",
    "npm_",
    "pypi-",
    "SG.",
    "dop_v1_",
    "eyJ",
    "$1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
];
const HASHES: [&str; 4] = ["$y$", "$argon2", "$scrypt$", "$pbkdf2"];

/// A line with what has the form of a secret taken out, whatever it is called.
pub(super) fn masked_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(gap).unwrap_or(rest.len());
        out.push_str(&masked_word(&rest[..word]));
        rest = &rest[word..];
        let blanks = rest.find(|c| !gap(c)).unwrap_or(rest.len());
        out.push_str(&rest[..blanks]);
        rest = &rest[blanks..];
    }
    out
}

/// What separates words.
fn gap(c: char) -> bool {
    c.is_whitespace() || "\"'`<>".contains(c)
}

/// Where to cut a line so that nothing of a word is left that would have been masked as a whole: the password of a URL is
/// not known as one without the `@` behind it.
pub(super) fn before_word(text: &str, cut: usize) -> usize {
    let mut before = text[..cut].char_indices().rev();
    let begin = before
        .find(|&(_, c)| gap(c))
        .map_or(0, |(i, c)| i + c.len_utf8());
    let end = cut + text[cut..].find(gap).unwrap_or(text.len() - cut);
    let word = text.get(begin..end).unwrap_or_default();
    let secret = user_and_password(word).map(|(begin, _)| begin);
    secret
        .or_else(|| token(word))
        .map_or(cut, |i| cut.min(begin + i))
}

/// A run without blanks and quotes.
fn masked_word(word: &str) -> String {
    if let Some((begin, at)) = user_and_password(word) {
        return format!("{}{MASK}{}", &word[..begin], masked_word(&word[at..]));
    }
    match token(word) {
        Some(begin) => word[..begin].to_owned() + MASK,
        None => word.to_owned(),
    }
}

/// Where a well-known token begins.
fn token(word: &str) -> Option<usize> {
    let starts = |&i: &usize| i == 0 || !word.as_bytes()[i - 1].is_ascii_alphanumeric();
    let places = |token: &&str| word.match_indices(*token).map(|(i, _)| i).find(starts);
    TOKENS.iter().chain(&HASHES).filter_map(places).min()
}

/// `user:password` before an `@`: where it begins and where the `@` is. A digest of an image is no host.
fn user_and_password(word: &str) -> Option<(usize, usize)> {
    let at = word.rfind('@')?;
    let begin = word.find("://").map_or(0, |i| i + 3);
    let user = word.get(begin..at)?;
    (user.contains(':') && !word[at..].starts_with("@sha256:")).then_some((begin, at))
}
