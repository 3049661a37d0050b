//! From the labels of a series to the entity that it tells of, and what they say of its place.
//!
//! Labels are written by whoever pushes or exposes metrics. They can name any entity, so what is learned from them adds
//! instances and links, and never an owner, a tier or an attribute.

use super::names::{self, address, under};
use super::{LabelRules, Link, Relation};
use crate::{EntityId, Kind};

/// The label under which scrapers keep the address that they asked.
const INSTANCE: &str = "instance";
/// The label under which scrapers keep the name of what they asked.
const JOB: &str = "job";
/// What goes before a label whose name the scraper needed itself.
const EXPORTED: &str = "exported_";
/// Databases that every server has: they tell the server, not the database.
const OF_EVERY_SERVER: [&str; 3] = ["postgres", "template0", "template1"];
/// File systems are told of by `device` in these metrics only; elsewhere a device is a disk or a network card.
const FILESYSTEM: &str = "node_filesystem_";
/// Containers have names of their own under this label, and control groups their path under the other.
const CONTAINER: (&str, &str, &str) = ("container_", "name", "id");
/// What a cluster says of its own objects: whatever was scraped is none of them.
const OBJECTS: &str = "kube_";
/// The labels that name a service in those.
const WORKLOADS: [&str; 3] = ["deployment", "statefulset", "daemonset"];

impl LabelRules {
    /// The most specific entity that a series tells of, and what its labels say of it and of others.
    ///
    /// `labels` in any order, `local_host` is the name of the host whose metrics come without one. In order: a volume or
    /// the host (metrics of hosts), a database (metrics of databases and pools), a pod, container, process or address, the
    /// service on a host, the service, the host. A series whose labels name nothing tells of `local_host`. `None` only if
    /// that is empty. Values of any length and content are taken: see [`EntityId`] for what becomes of them.
    #[must_use]
    pub fn entity_of<'a>(
        &self,
        metric: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        local_host: &str,
    ) -> Option<(EntityId, Vec<Link>)> {
        let begins = |starts: &[String]| starts.iter().any(|start| metric.starts_with(start));
        let series = Series {
            rules: self,
            metric,
            local_host,
            labels: labels.into_iter().filter(|(_, v)| !v.is_empty()).collect(),
            is_of_cluster: begins(&self.cluster_metrics),
        };
        let mut links = Vec::new();
        let found = if begins(&self.host_metrics) {
            series.of_host(&mut links)
        } else if begins(&self.database_metrics) {
            series.of_database(&mut links)
        } else if begins(&self.pool_metrics) {
            series.of_pool(&mut links)
        } else {
            series.of_any(&mut links)
        };
        // Nothing else was named: it can only be about where it was read.
        let entity = found.or_else(|| names::id(Kind::Host, local_host))?;
        links.retain(Link::is_sound);
        links.sort_unstable();
        links.dedup();
        Some((entity, links))
    }
}

/// A series, and how it is read.
struct Series<'a> {
    rules: &'a LabelRules,
    metric: &'a str,
    local_host: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    is_of_cluster: bool,
}

fn link(links: &mut Vec<Link>, from: &EntityId, relation: Relation, to: Option<EntityId>) {
    links.extend(to.map(|to| Link::new(from.clone(), relation, to)));
}

/// An address again.
fn joined(host: &str, port: &str) -> String {
    if port.is_empty() {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

impl<'a> Series<'a> {
    fn label(&self, name: &str) -> Option<&'a str> {
        let exported = |label: &str| label.strip_prefix(EXPORTED) == Some(name);
        let mut all = self.labels.iter();
        let renamed = all.find(|(label, _)| exported(label));
        let mut all = self.labels.iter();
        renamed
            .or_else(|| all.find(|(label, _)| *label == name))
            .map(|(_, value)| *value)
    }

    fn first(&self, names: &[String]) -> Option<&'a str> {
        names.iter().find_map(|name| self.label(name))
    }

    fn namespaced(&self, name: &str) -> String {
        under(self.first(&self.rules.namespace).unwrap_or(""), '/', name)
    }

    /// The address that was scraped, if it is one of what the series tells of; this host by its name.
    fn address(&self) -> Option<String> {
        let text = self.label(INSTANCE)?;
        let (host, port) = address(text);
        if names::is_loopback(host) && !self.local_host.is_empty() {
            return Some(joined(self.local_host, port));
        }
        Some(text.to_owned())
    }

    /// A host by label, or else by the address that was scraped.
    fn host(&self) -> Option<String> {
        let named = self.first(&self.rules.host).map(str::to_owned);
        // Who scrapes a pod finds an address of its own, and who scrapes the cluster one of neither.
        let is_elsewhere = self.metric.starts_with(OBJECTS)
            || !self.is_of_cluster && self.first(&self.rules.pod).is_some();
        named.or_else(|| self.scraped_host().filter(|_| !is_elsewhere))
    }

    fn scraped_host(&self) -> Option<String> {
        let address = self.address()?;
        let (host, _) = self::address(&address);
        Some(host.to_owned()).filter(|host| !host.is_empty())
    }

    fn local(&self) -> String {
        self.local_host.to_owned()
    }

    fn of_host(&self, links: &mut Vec<Link>) -> Option<EntityId> {
        // Pod, namespace and job are those of the exporter.
        let named = self.first(&self.rules.host).map(str::to_owned);
        let host = named
            .or_else(|| self.scraped_host())
            .unwrap_or_else(|| self.local());
        let is_file_system = self.metric.starts_with(FILESYSTEM);
        let mut volumes = self.rules.volume.iter();
        let volume = volumes.find_map(|name| {
            self.label(name)
                .filter(|_| is_file_system || name != "device")
        });
        let on_host = names::id(Kind::Host, &host);
        let Some(volume) = volume else {
            return on_host;
        };
        let volume = names::id(Kind::Volume, &under(&host, ':', volume))?;
        link(links, &volume, Relation::RunsOn, on_host);
        Some(volume)
    }

    fn of_database(&self, links: &mut Vec<Link>) -> Option<EntityId> {
        let pod = self.first(&self.rules.pod);
        let (server, host) = self.server(pod);
        let named = self.first(&self.rules.database);
        let named = named.filter(|name| server.is_none() || !OF_EVERY_SERVER.contains(name));
        let host = host.or_else(|| server.is_none().then(|| self.local()));
        // Neither server nor database is said: the only server of its sort on the host, as `db-1:pg`.
        let server = server.or_else(|| {
            let sort = self.metric.split('_').next().unwrap_or_default();
            let host = host.as_deref().filter(|_| named.is_none())?;
            Some(under(host, ':', sort))
        });
        let host = host.and_then(|host| names::id(Kind::Host, &host));
        let server = server.and_then(|server| names::id(Kind::Database, &server));
        let database = named.and_then(|name| names::id(Kind::Database, name));
        if let Some(holder) = server.as_ref().or(database.as_ref()) {
            link(links, holder, Relation::RunsOn, host);
        }
        if let Some(database) = &database {
            link(links, database, Relation::DependsOn, server.clone());
        }
        database.or(server)
    }

    /// The server of a database and the host that it is on, as far as they are known.
    fn server(&self, pod: Option<&str>) -> (Option<String>, Option<String>) {
        let here = self.first(&self.rules.host).map(str::to_owned);
        if let Some(server) = self.first(&self.rules.server) {
            let (host, port) = address(server);
            // What the exporter finds beside itself is on the exporter's host.
            if names::is_loopback(host) {
                let host = here
                    .or_else(|| self.scraped_host())
                    .unwrap_or_else(|| self.local());
                return (Some(joined(&host, port)), Some(host));
            }
            let on = Some(host.to_owned()).filter(|host| !host.is_empty());
            return (Some(joined(host, port)), on);
        }
        if let Some(pod) = pod {
            return (Some(self.namespaced(pod)), here);
        }
        let host = here.or_else(|| self.scraped_host());
        (self.address(), host)
    }

    fn of_pool(&self, links: &mut Vec<Link>) -> Option<EntityId> {
        let holder = self.of_any(links);
        let Some(pool) = self.first(&self.rules.pool) else {
            return holder;
        };
        let prefix = holder.as_ref().map_or(self.local_host, EntityId::name);
        let pool = names::id(Kind::Database, &under(prefix, ':', pool))?;
        if let Some(holder) = &holder {
            link(links, holder, Relation::DependsOn, Some(pool.clone()));
        }
        Some(pool)
    }

    fn of_any(&self, links: &mut Vec<Link>) -> Option<EntityId> {
        let host = self.host();
        let on_host = host.as_deref().and_then(|host| names::id(Kind::Host, host));
        let service = self.service();
        let instance = self.instance(host.as_deref(), service.as_ref());
        if let Some((instance, is_local)) = &instance {
            let here = is_local.then(|| names::id(Kind::Host, self.local_host));
            let on_host = on_host.clone().or(here.flatten());
            link(links, instance, Relation::RunsOn, on_host);
            link(links, instance, Relation::PartOf, service.clone());
        }
        let instance = instance.map(|(instance, _)| instance);
        if let Some(claim) = self.first(&self.rules.claim) {
            let claim = names::id(Kind::Volume, &self.namespaced(claim))?;
            match &instance {
                Some(holder) => link(links, holder, Relation::StoresOn, Some(claim.clone())),
                None => link(links, &claim, Relation::RunsOn, on_host),
            }
            return Some(claim);
        }
        let caller = service.clone().or_else(|| instance.clone());
        if let Some(caller) = caller.filter(|_| !self.is_of_cluster) {
            link(links, &caller, Relation::DependsOn, self.callee());
        }
        // A job alone says less than a host.
        let is_by_job = self.service_by(|name| name != JOB).is_none();
        let service = service.filter(|_| !(is_by_job && on_host.is_some()));
        instance.or(service).or(on_host)
    }

    /// The instance, and whether it is known to be on this host because no other is named.
    fn instance(&self, host: Option<&str>, service: Option<&EntityId>) -> Option<(EntityId, bool)> {
        let id = |name: &str| names::id(Kind::Instance, name);
        if let Some(pod) = self.first(&self.rules.pod) {
            return Some((id(&self.namespaced(pod))?, false));
        }
        let is_container = self.metric.starts_with(CONTAINER.0);
        let named = self.first(&self.rules.container);
        let named = named.or_else(|| self.label(CONTAINER.1).filter(|_| is_container));
        if let Some(container) = named {
            let container = self.namespaced(container);
            return Some((id(&under(host.unwrap_or(""), ':', &container))?, false));
        }
        let group = self
            .label(CONTAINER.2)
            .filter(|&group| is_container && group != "/");
        if let Some(process) = group.or_else(|| self.first(&self.rules.process)) {
            let on = host.unwrap_or(self.local_host);
            return Some((id(&under(on, ':', process))?, host.is_none()));
        }
        if self.is_of_cluster {
            return None;
        }
        if let Some(address) = self.address() {
            return Some((id(&self.namespaced(&address))?, false));
        }
        // The replica of a service on a host.
        let named = self.service_by(|name| name != JOB)?;
        service?;
        Some((id(&under(host?, ':', &self.namespaced(named)))?, false))
    }

    fn service(&self) -> Option<EntityId> {
        let named = if self.metric.starts_with(OBJECTS) {
            WORKLOADS.iter().find_map(|name| self.label(name))
        } else {
            self.service_by(|name| !(self.is_of_cluster && name == JOB))
        };
        let pod = self.first(&self.rules.pod).and_then(names::workload);
        let group = self.label(CONTAINER.2).and_then(names::unit);
        let group = group.filter(|_| self.metric.starts_with(CONTAINER.0));
        let name = named.or(pod).or(group)?;
        names::id(Kind::Service, &self.namespaced(name))
    }

    fn service_by(&self, wanted: impl Fn(&str) -> bool) -> Option<&'a str> {
        let mut names = self.rules.service.iter().filter(|name| wanted(name));
        let is_exporter = |value: &str| self.rules.exporters.iter().any(|known| known == value);
        names.find_map(|name| self.label(name).filter(|value| !is_exporter(value)))
    }

    /// What is called: `pay`, `pay.shop.svc.cluster.local`, `https://pay:8443`.
    fn callee(&self) -> Option<EntityId> {
        let (host, _) = address(self.first(&self.rules.callee)?);
        let mut parts = host.split('.');
        let name = match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(namespace), Some("svc")) => under(namespace, '/', name),
            _ if host.contains(['.', ':']) => host.to_owned(),
            _ => self.namespaced(host),
        };
        names::id(Kind::Service, &name)
    }
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
