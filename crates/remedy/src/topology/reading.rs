//! From what people declare to a topology, or to all that is wrong with it.

use std::collections::BTreeSet;

use super::graph::Conflict;
use super::{
    Declared, DeclaredEntity, Link, Mistake, Origin, Problem, Relation, Topology, TopologyError,
};
use crate::{EntityError, EntityId, Kind, MAX_FACT_BYTES, MAX_FACTS};

/// What a field of a declared entity says.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    relation: Relation,
    /// The kind that it can name, if it is one only.
    kind: Option<Kind>,
    /// Whether the link goes from what is named to the entity.
    is_reversed: bool,
    names: fn(&DeclaredEntity) -> &[String],
}

const fn field(
    name: &'static str,
    relation: Relation,
    kind: Option<Kind>,
    names: fn(&DeclaredEntity) -> &[String],
) -> Field {
    Field {
        name,
        relation,
        kind,
        is_reversed: false,
        names,
    }
}

const INSTANCES: Field = Field {
    name: "instances",
    relation: Relation::PartOf,
    kind: Some(Kind::Instance),
    is_reversed: true,
    names: |entity| &entity.instances,
};

const FIELDS: [Field; 6] = [
    INSTANCES,
    field("part_of", Relation::PartOf, Some(Kind::Service), |entity| {
        &entity.part_of
    }),
    field("runs_on", Relation::RunsOn, Some(Kind::Host), |entity| {
        &entity.runs_on
    }),
    field("depends_on", Relation::DependsOn, None, |entity| {
        &entity.depends_on
    }),
    field(
        "stores_on",
        Relation::StoresOn,
        Some(Kind::Volume),
        |entity| &entity.stores_on,
    ),
    field("uses", Relation::Uses, None, |entity| &entity.uses),
];

impl Topology {
    /// From what people declare. Entities that are named and not declared are added too: see [`Topology::undeclared`].
    ///
    /// # Errors
    /// [`TopologyError`] tells all that is wrong, each with its place.
    pub fn from_declared(declared: &Declared) -> Result<Self, TopologyError> {
        let mut reading = Reading {
            topology: Self::new(declared.limits()),
            most_links: declared.max_links,
            problems: Vec::new(),
        };
        let mut entities = Vec::new();
        for (kind, list, all) in declared.lists() {
            for (i, entity) in all.iter().enumerate() {
                let place = format!("topology.{list}[{i}]");
                if let Some(number) = reading.entity(kind, entity, &place) {
                    entities.push((number, entity, place));
                }
            }
        }
        // That a service lists an instance declares it, wherever else it is named.
        for (number, entity, place) in &entities {
            reading.links(*number, entity, INSTANCES, place);
        }
        for (number, entity, place) in &entities {
            for field in &FIELDS[1..] {
                reading.links(*number, entity, *field, place);
            }
        }
        for (number, _, place) in &entities {
            reading.implied(*number, place);
        }
        if reading.problems.is_empty() {
            Ok(reading.topology)
        } else {
            Err(TopologyError(reading.problems))
        }
    }
}

/// A topology that is being read, and what was wrong so far.
struct Reading {
    topology: Topology,
    most_links: usize,
    problems: Vec<Problem>,
}

impl Reading {
    fn wrong(&mut self, place: &str, mistake: impl Into<Mistake>) {
        self.problems.push(Problem {
            place: place.to_owned(),
            mistake: mistake.into(),
        });
    }

    fn entity(&mut self, kind: Kind, entity: &DeclaredEntity, place: &str) -> Option<u32> {
        let tier = entity.tier.map(|tier| match u8::try_from(tier) {
            Ok(known @ 1..=4) => Ok(known),
            Ok(_) | Err(_) => Err(Mistake::Tier(tier)),
        });
        if let Some(Err(mistake)) = &tier {
            self.wrong(&format!("{place}.tier"), mistake.clone());
        }
        let mut texts = entity
            .attributes
            .iter()
            .flat_map(|(name, value)| [name, value]);
        if entity.attributes.len() > MAX_FACTS || texts.any(|text| text.len() > MAX_FACT_BYTES) {
            self.wrong(&format!("{place}.attributes"), Mistake::Attributes);
        }
        let id = match EntityId::new(kind, &entity.name) {
            Ok(id) => id,
            Err(error) => {
                self.wrong(&format!("{place}.name"), error);
                return None;
            }
        };
        if self.topology.find(&id).is_some() {
            self.wrong(place, Mistake::Twice(id));
            return None;
        }
        let number = self.topology.declare(&id, Origin::Declared, place);
        let node = &mut self.topology.nodes[number as usize];
        let owner = entity.owner.as_deref().filter(|owner| !owner.is_empty());
        node.owner = owner.map(Into::into);
        node.tier = tier.and_then(Result::ok);
        self.topology.about[number as usize].attributes = entity.attributes.clone();
        Some(number)
    }

    /// Reads one field of an entity.
    fn links(&mut self, number: u32, entity: &DeclaredEntity, field: Field, place: &str) {
        let this = self.topology.id(number).clone();
        let mut listed = BTreeSet::new();
        for (i, text) in (field.names)(entity).iter().enumerate() {
            let place = format!("{place}.{}[{i}]", field.name);
            let other = match target(text, field.kind) {
                Ok(other) => other,
                Err(error) => {
                    self.wrong(&place, error);
                    continue;
                }
            };
            if !listed.insert(other.clone()) {
                self.wrong(&place, Mistake::Listed(other));
                continue;
            }
            let link = if field.is_reversed {
                Link::new(other, field.relation, this.clone())
            } else {
                Link::new(this.clone(), field.relation, other)
            };
            self.link(link, field.is_reversed, &place);
        }
    }

    /// What the name of an entity says, where nothing else does.
    fn implied(&mut self, number: u32, place: &str) {
        if let Some(link) = self.topology.implied(number) {
            self.link(link, false, &format!("{place}.name"));
        }
    }

    /// Adds a link; `declares` says whether what it goes from is declared by it, if it was not.
    fn link(&mut self, link: Link, declares: bool, place: &str) {
        if link.from == link.to {
            self.wrong(place, Mistake::Itself(link.from));
            return;
        }
        let Link { from, relation, to } = link;
        if !relation.joins(from.kind(), to.kind()) {
            self.wrong(place, Mistake::Kinds { from, relation, to });
            return;
        }
        let origin = if declares {
            Origin::Declared
        } else {
            Origin::Named
        };
        let (a, b) = (
            self.topology.declare(&from, origin, place),
            self.topology.declare(&to, Origin::Named, place),
        );
        match self.topology.declare_link(a, relation, b) {
            // It may be said from both sides.
            Ok(_) => {}
            Err(Conflict::Single(first)) => self.wrong(place, Mistake::Single { from, first }),
            Err(Conflict::Full(entity)) => {
                let most = self.most_links;
                self.wrong(place, Mistake::Links { entity, most });
            }
        }
    }
}

/// What a text names; see [`DeclaredEntity`].
fn target(text: &str, kind: Option<Kind>) -> Result<EntityId, EntityError> {
    match (text.parse(), kind) {
        (Err(EntityError::Kind(_)), Some(kind)) => EntityId::new(kind, text),
        (parsed, _) => parsed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: serde_json::Value) -> Result<Topology, TopologyError> {
        Topology::from_declared(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_with_its_place() {
        let error = read(json!({
            "services": [
                {"name": "api", "tier": 5, "instances": ["api-1", "api-1"]},
                {"name": "api"},
                {"name": "pay", "tier": -1, "instances": ["api-1"], "depends_on": [
                    "databse/orders", "service/pay", "host/web-1", "orders",
                ]},
                {"name": ""},
            ],
            "volumes": [{"name": "web-1:/data", "runs_on": ["web-2"], "part_of": ["api"]}],
            "hosts": [{"name": "a\nb", "attributes": {"x": "y".repeat(5000)}}],
        }));
        expect_test::expect![[r#"
            topology.services[0].tier: tier is 5, expected 1 (everything depends on it) to 4 (nobody would notice)
            topology.services[1]: service/api is declared twice
            topology.services[2].tier: tier is -1, expected 1 (everything depends on it) to 4 (nobody would notice)
            topology.services[3].name: "service/" has no name after the slash
            topology.hosts[0].attributes: more than 64 attributes, or one of more than 4096 bytes
            topology.hosts[0].name: "host/a\nb" holds a control character
            topology.services[0].instances[1]: instance/api-1 is listed twice
            topology.services[2].instances[0]: instance/api-1 belongs to service/api already
            topology.services[2].depends_on[0]: "databse/orders" does not begin with a kind and a slash, as host/web-1 does; kinds are service, instance, host, volume, database, certificate, package, configuration
            topology.services[2].depends_on[1]: service/pay is linked to itself
            topology.services[2].depends_on[2]: depends_on cannot lead from service/pay to host/web-1
            topology.services[2].depends_on[3]: "orders" does not begin with a kind and a slash, as host/web-1 does; kinds are service, instance, host, volume, database, certificate, package, configuration
            topology.volumes[0].part_of[0]: part_of cannot lead from volume/web-1:/data to service/api"#]]
        .assert_eq(&error.unwrap_err().to_string());
    }

    #[test]
    fn what_is_named_and_not_declared_is_there_and_told() {
        let topology = read(json!({
            "services": [{"name": "api", "instances": ["api-1"], "depends_on": ["database/ordres"]}],
            "instances": [{"name": "api-1", "runs_on": ["web-1"]}],
            "volumes": [{"name": "web-1:/data"}, {"name": "web-2:/data"}],
        }))
        .unwrap();
        let told: Vec<_> = topology
            .undeclared()
            .map(|it| format!("{} {}", it.id, it.place))
            .collect();
        assert_eq!(
            told,
            [
                "host/web-1 topology.instances[0].runs_on[0]",
                "host/web-2 topology.volumes[1].name",
                "database/ordres topology.services[0].depends_on[0]",
            ]
        );
        assert_eq!(topology.counts().links, 5);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let parse = |value| {
            serde_json::from_value::<Declared>(value)
                .unwrap_err()
                .to_string()
        };
        assert!(parse(json!({"service": []})).contains("unknown field `service`"));
        let nobody = json!({"services": [{"name": "api", "owners": "me"}]});
        assert!(parse(nobody).contains("unknown field `owners`"));
        assert!(parse(json!({"services": [{"owner": "me"}]})).contains("missing field `name`"));
    }

    #[test]
    fn links_are_bounded() {
        let names: Vec<_> = (0..5).map(|i| format!("api-{i}")).collect();
        let error = read(json!({
            "services": [{"name": "api", "instances": names}], "max_links": 3,
        }));
        let message = error.unwrap_err().to_string();
        assert_eq!(
            message.matches("service/api has more than 3 links").count(),
            2
        );
    }
}
