//! What a decision needs to know of an entity's place, cut out of the topology.

use std::collections::BTreeSet;

use super::graph::of;
use super::walk::MAX_AFFECTED;
use super::{Relation, Topology};
use crate::{EntityId, Kind, Surroundings, UNKNOWN_TIER};

impl Topology {
    /// Where an entity stands among the others.
    ///
    /// - `service`: of an instance the one that it is part of; of a volume, certificate, package or configuration the one
    ///   that stores on it or uses it, if it is only one.
    /// - `host`: the one that it runs on; of a certificate, package or configuration the one whose user runs there, if it is
    ///   only one.
    /// - `owner`: that of the entity, else of its service, else of the nearest that suffers with it, else of its host.
    /// - `tier`: likewise, or the most critical of all that suffers, if that is more critical.
    /// - `affected`, `paths`: at most [`MAX_AFFECTED`] and [`super::MAX_PATHS`], within [`super::MAX_DEPTH`] links; one shortest
    ///   path for each of the nearest services.
    /// - `depends_on`: what the entity, or the service that it is an instance of, depends or stores on, by name; at most [`MAX_AFFECTED`].
    ///
    /// Of what is not known, nothing is known but what its name says.
    #[must_use]
    pub fn surroundings(&self, id: &EntityId) -> Surroundings {
        let itself = |kind: Kind| (id.kind() == kind).then(|| id.clone());
        let Some(number) = self.find(id) else {
            return Surroundings {
                service: itself(Kind::Service),
                host: itself(Kind::Host),
                tier: UNKNOWN_TIER,
                ..Surroundings::default()
            };
        };
        let impact = self.impact(number);
        let (service, host) = (self.service(number), self.host(number));
        let nearest = [Some(number), service, impact.owned, host];
        let owner = nearest
            .into_iter()
            .flatten()
            .find_map(|near| self.node(near).owner.as_deref().map(str::to_owned));
        let said = [Some(number), service].into_iter().flatten();
        let said = said.filter_map(|near| self.node(near).tier).next();
        let tier = said.into_iter().chain(impact.tier).min();
        let tier = tier.or_else(|| host.and_then(|host| self.node(host).tier));
        let mut attributes = self.about(number).attributes.clone();
        for above in [service, host].into_iter().flatten() {
            for (name, value) in &self.about(above).attributes {
                let entry = attributes.entry(name.clone());
                entry.or_insert_with(|| value.clone());
            }
        }
        let name = |number: u32| self.id(number).clone();
        Surroundings {
            attributes,
            service: service.map(name),
            host: host.map(name),
            replicas: service.map_or(0, |service| {
                of(&self.node(service).into, Relation::PartOf).len() as u32
            }),
            owner,
            tier: tier.unwrap_or(UNKNOWN_TIER),
            affected: impact.affected.iter().copied().map(name).collect(),
            n_affected: impact.n_affected,
            paths: impact
                .paths
                .iter()
                .map(|path| path.iter().copied().map(name).collect())
                .collect(),
            depends_on: self.relied_on(number, service),
        }
    }

    /// The service that an entity is, or belongs to: [`Surroundings::service`], without the walk.
    #[must_use]
    pub fn service_of(&self, id: &EntityId) -> Option<&EntityId> {
        let service = self.service(self.find(id)?)?;
        Some(self.id(service))
    }

    /// How many instances a service has.
    #[must_use]
    pub fn n_instances(&self, service: &EntityId) -> usize {
        self.find(service)
            .map_or(0, |service| self.instances(service).count())
    }

    /// Those of a service's instances that are `place`, or run on it, when that is a host.
    pub fn instances_at(
        &self,
        service: &EntityId,
        place: &EntityId,
    ) -> impl Iterator<Item = &EntityId> {
        let at = self.find(place);
        let service = self.find(service).filter(|_| at.is_some());
        let all = service
            .into_iter()
            .flat_map(|service| self.instances(service));
        all.filter(move |&instance| Some(instance) == at || self.host(instance) == at)
            .map(|instance| self.id(instance))
    }

    /// The services that have instances on a host, or the one that an entity belongs to.
    #[must_use]
    pub fn services_at(&self, place: &EntityId) -> BTreeSet<&EntityId> {
        let Some(number) = self.find(place) else {
            return BTreeSet::new();
        };
        let on_it = of(&self.node(number).into, Relation::RunsOn).iter();
        let services = on_it.filter_map(|edge| self.service(edge.other));
        let all = services.chain(self.service(number));
        all.map(|service| self.id(service)).collect()
    }

    fn instances(&self, service: u32) -> impl Iterator<Item = u32> {
        of(&self.node(service).into, Relation::PartOf)
            .iter()
            .map(|edge| edge.other)
    }

    fn service(&self, number: u32) -> Option<u32> {
        match self.kind(number) {
            Kind::Service => Some(number),
            Kind::Instance => of(&self.node(number).out, Relation::PartOf)
                .first()
                .map(|edge| edge.other),
            Kind::Volume | Kind::Certificate | Kind::Package | Kind::Configuration => {
                only(self.users(number).filter_map(|user| match self.kind(user) {
                    Kind::Service | Kind::Instance => self.service(user),
                    Kind::Host
                    | Kind::Volume
                    | Kind::Database
                    | Kind::Certificate
                    | Kind::Package
                    | Kind::Configuration => None,
                }))
            }
            Kind::Host | Kind::Database => None,
        }
    }

    fn host(&self, number: u32) -> Option<u32> {
        match self.kind(number) {
            Kind::Host => Some(number),
            Kind::Service | Kind::Instance | Kind::Volume | Kind::Database => only(
                of(&self.node(number).out, Relation::RunsOn)
                    .iter()
                    .map(|edge| edge.other),
            ),
            // Who uses something is not used itself, so this ends.
            Kind::Certificate | Kind::Package | Kind::Configuration => {
                only(self.users(number).filter_map(|user| self.host(user)))
            }
        }
    }

    /// Who stores on it or uses it.
    fn users(&self, number: u32) -> impl Iterator<Item = u32> {
        let into = &self.node(number).into;
        let all = of(into, Relation::StoresOn)
            .iter()
            .chain(of(into, Relation::Uses));
        all.map(|edge| edge.other)
    }

    fn relied_on(&self, number: u32, service: Option<u32>) -> Vec<EntityId> {
        let service = service.filter(|_| self.kind(number) == Kind::Instance);
        let mut relied: Vec<_> = std::iter::once(number)
            .chain(service)
            .flat_map(|near| {
                let out = &self.node(near).out;
                let all = of(out, Relation::DependsOn).iter();
                all.chain(of(out, Relation::StoresOn))
            })
            .map(|edge| self.id(edge.other))
            .collect();
        relied.sort_unstable();
        relied.dedup();
        relied.into_iter().take(MAX_AFFECTED).cloned().collect()
    }
}

/// The one that all are, if there is one.
fn only(mut all: impl Iterator<Item = u32>) -> Option<u32> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}
