//! The public data sets that can be imported: one file each in `datasets/`, built into the program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The files, as they stand in the repository.
const FILES: [(&str, &str); 4] = [
    ("nab", include_str!("../../../datasets/nab.toml")),
    (
        "cloud-monitoring",
        include_str!("../../../datasets/cloud-monitoring.toml"),
    ),
    ("smap-msl", include_str!("../../../datasets/smap-msl.toml")),
    (
        "exhaustion",
        include_str!("../../../datasets/exhaustion.toml"),
    ),
];

/// A public data set: what it is, whose it is, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// The name under which it is imported.
    pub name: String,
    /// What it calls itself.
    pub title: String,
    /// What is in it.
    pub about: String,
    /// Where it comes from: the page of the project.
    pub source: String,
    /// Under which licence.
    pub licence: String,
    /// How to cite it.
    pub citation: String,
    /// How its labels were made and what becomes of them.
    pub labels: Labels,
    /// The columns of its files, in their order.
    pub columns: Vec<Column>,
    /// What must be in the folder that is imported.
    pub files: Vec<File>,
    /// What the checksums are of.
    pub hashed: String,
    /// Checksums by file name below the folder: 64 hexadecimal digits.
    pub sha256: BTreeMap<String, String>,
}

/// How labels were made and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// How they were made.
    pub made: String,
    /// Which rows get which provenance.
    pub provenance: String,
}

/// A column of a public data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// As the file spells it.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// One line for people.
    pub about: String,
}

/// A file, or many under one pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name below the folder; `*` stands for any text without `/`.
    pub path: String,
    /// One line for people.
    pub about: String,
}

/// Why a description of a data set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublicError {
    /// It is no TOML, lacks a key or has one too many.
    #[error("datasets/{name}.toml")]
    Parse {
        /// Which.
        name: String,
        /// What is wrong.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// It says something that cannot be.
    #[error("datasets/{name}.toml: {problem}")]
    Content {
        /// Which.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

impl Public {
    /// Reads the description of the data set `name`.
    ///
    /// # Errors
    /// When a key is missing or unknown, the name is another, or a checksum is none.
    pub fn parse(name: &str, text: &str) -> Result<Self, PublicError> {
        let public: Self = toml::from_str(text).map_err(|source| PublicError::Parse {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        let content = |problem: String| {
            Err(PublicError::Content {
                name: name.to_owned(),
                problem,
            })
        };
        if public.name != name {
            return content(format!("its name is {:?}", public.name));
        }
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        for (file, sum) in &public.sha256 {
            if sum.len() != 64 || !sum.chars().all(is_hex) {
                return content(format!("{sum:?} of {file} is no sha256"));
            }
        }
        Ok(public)
    }
}

/// All public data sets that can be imported.
///
/// # Errors
/// When one of the files in `datasets/` is broken, which a test rules out for what is released.
pub fn public() -> Result<Vec<Public>, PublicError> {
    FILES
        .iter()
        .map(|(name, text)| Public::parse(name, text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_descriptions_are_complete() {
        let all = public().unwrap();
        assert_eq!(all.len(), FILES.len());
        for one in &all {
            let texts = [
                &one.title,
                &one.source,
                &one.about,
                &one.licence,
                &one.citation,
                &one.hashed,
            ];
            assert!(texts.iter().all(|text| !text.is_empty()), "{}", one.name);
            assert!(
                !one.columns.is_empty() && !one.files.is_empty(),
                "{}",
                one.name
            );
            assert!(!one.sha256.is_empty(), "{}", one.name);
        }
        // No file in the folder is forgotten here.
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets");
        let files = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
        let tomls = files.filter(|path| path.extension().is_some_and(|e| e == "toml"));
        assert_eq!(tomls.count(), FILES.len());
    }

    #[test]
    fn unknown_keys_and_wrong_sums_are_refused() {
        let text = FILES[0].1;
        let error = Public::parse("nab", &format!("colour = \"red\"\n{text}")).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("colour"), "{source}");
        let other = Public::parse("other", text).unwrap_err().to_string();
        assert_eq!(other, "datasets/other.toml: its name is \"nab\"");
        let sum = public().unwrap()[0].sha256.values().next().unwrap().clone();
        let short = text.replace(&sum, &sum[1..]);
        assert!(
            Public::parse("nab", &short)
                .unwrap_err()
                .to_string()
                .contains("no sha256")
        );
    }
}
