//! What learned state depends on besides code: two engines with one digest may exchange it.

use predict::anomaly::DETECTORS;

use crate::EngineConfig;

/// FNV-1a (64 bit) over profile, seed and the full options of the detectors in use, defaults included: an option
/// that is spelled out at its default changes nothing. How scores are put together and when events open stays out:
/// an operator may turn those without losing what was learned.
pub(crate) fn digest(config: &EngineConfig, members: &[&'static str]) -> u64 {
    let mut text = format!("{:?}\n{}\n", config.profile, config.seed);
    for entry in DETECTORS
        .iter()
        .filter(|entry| members.contains(&entry.name))
    {
        let mut options: toml::Table = entry.example.parse().unwrap_or_default();
        options.extend(
            config
                .detectors
                .get(entry.name)
                .cloned()
                .unwrap_or_default(),
        );
        options.remove("enabled");
        text.push_str(&format!("[{}]\n{options}", entry.name));
    }
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> u64 {
        digest(&toml::from_str(text).unwrap(), &["residual"])
    }

    #[test]
    fn only_what_matters_is_in_it() {
        let example = DETECTORS
            .iter()
            .find(|entry| entry.name == "residual")
            .unwrap()
            .example;
        assert_eq!(
            of(""),
            of(&format!(
                "max_series = 7\n[detectors.residual]\nenabled = true\n{example}"
            ))
        );
        assert_ne!(of(""), of("seed = 2"));
        assert_ne!(of(""), of("profile = \"lean\""));
        assert_ne!(of(""), of("[detectors.residual]\nanything = 3.25"));
    }
}
