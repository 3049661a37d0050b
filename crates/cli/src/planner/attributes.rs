//! What can be declared of an entity under `[topology]`, for whoever has to: every attribute that something reads.

use std::collections::BTreeSet;
use std::io;

use proto::v1::Explanation;
use remedy::strategy::{ATTRIBUTES, Attribute, FACTS_TO_DECLARE};

use crate::page::Page;

/// Read where it is told how to do a step by hand.
const BY_HAND: &[Attribute] = &[
    by_hand("engine", "postgres, mysql", "which SQL the database speaks"),
    by_hand(
        "manager",
        "systemd, kubernetes, docker, certbot, patroni",
        "who keeps it running",
    ),
    by_hand("namespace", "name", "its namespace in Kubernetes"),
    by_hand(
        "package_manager",
        "apt, dnf, …",
        "what installs packages on it",
    ),
    by_hand("runtime", "java", "what it runs in"),
    by_hand(
        "unit",
        "name",
        "its unit of systemd, where that is not called like it",
    ),
    by_hand(
        "workload",
        "kind/name",
        "its workload in Kubernetes, where that is not called like it",
    ),
];

const fn by_hand(name: &'static str, values: &'static str, meaning: &'static str) -> Attribute {
    Attribute {
        name,
        values,
        meaning,
        example: None,
    }
}

/// Writes all of them.
pub(super) fn write(page: &mut Page<'_>) -> io::Result<()> {
    page.text(
        0,
        "What strategies read of an entity, as `attributes = { growable = \"yes\" }` beside its name under [topology]. An entity \
         inherits those of its service and host.",
    )?;
    let parts = [
        (
            "What permits something, or says how far it may go",
            ATTRIBUTES,
        ),
        ("What findings tell, and you may", FACTS_TO_DECLARE),
        ("How steps are told that are done by hand", BY_HAND),
    ];
    for (heading, all) in parts {
        page.heading(heading)?;
        for one in all {
            page.hanging(
                2,
                one.name,
                20,
                &format!("{} [{}]", one.meaning, one.values),
            )?;
        }
    }
    Ok(())
}

/// What could be declared so that more strategies fit, as lines of the configuration; nothing when none asks for anything.
pub(super) fn advise(page: &mut Page<'_>, told: &Explanation) -> io::Result<()> {
    let lacks = told.candidates.iter().filter_map(|one| one.lacks.as_ref());
    let wanted: BTreeSet<_> = lacks
        .map(|lack| (&*lack.entity, &*lack.attribute, &*lack.example))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    page.heading("What you could say in the configuration, where it is so (`forestall strategies --attributes`)")?;
    for (i, (entity, attribute, value)) in wanted.into_iter().enumerate() {
        let Some((kind, name)) = entity.split_once('/') else {
            continue;
        };
        if i > 0 {
            page.gap()?;
        }
        page.text(2, &format!("[[topology.{kind}s]]"))?;
        page.text(2, &format!("name = {}", serde_json::json!(name)))?;
        let value = serde_json::json!(value);
        page.text(2, &format!("attributes = {{ {attribute} = {value} }}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proto::v1::{MissingAttribute, PlanCandidate};

    use super::*;
    use crate::page::written;

    #[test]
    fn what_is_missing_is_told_as_lines_of_the_configuration() {
        let lacks = |entity: &str, attribute: &str, example: &str| PlanCandidate {
            lacks: Some(MissingAttribute {
                entity: entity.to_owned(),
                attribute: attribute.to_owned(),
                example: example.to_owned(),
            }),
            ..PlanCandidate::default()
        };
        let told = Explanation {
            candidates: vec![
                lacks("volume/web-1:/data", "growable", "yes"),
                PlanCandidate::default(),
                lacks("service/shop/api", "replicas_max", "6"),
                lacks("service/shop/api", "replicas_max", "6"),
            ],
            ..Explanation::default()
        };
        expect![[r#"

            What you could say in the configuration, where it is so
            (`forestall strategies --attributes`)
              [[topology.services]]
              name = "shop/api"
              attributes = { replicas_max = "6" }

              [[topology.volumes]]
              name = "web-1:/data"
              attributes = { growable = "yes" }
        "#]]
        .assert_eq(&written(80, |page| advise(page, &told)));
        assert_eq!(
            written(80, |page| advise(page, &Explanation::default())),
            ""
        );
    }
}
