//! What holds of every topology: random links, with cycles, sound or not.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use series::Timestamp;

use super::*;
use crate::{EntityId, Kind};

/// Links among a few entities of each kind, with cycles; one in ten between kinds that do not go together.
fn links() -> impl Strategy<Value = Vec<Link>> {
    let all = Relation::ALL.into_iter().flat_map(|relation| {
        let pairs = Kind::ALL.map(|from| Kind::ALL.map(|to| (from, relation, to)));
        pairs.into_iter().flatten()
    });
    let (sound, other): (Vec<_>, Vec<_>) =
        all.partition(|&(from, relation, to)| relation.joins(from, to));
    let calls = sound
        .iter()
        .copied()
        .filter(|(_, relation, _)| *relation == Relation::DependsOn);
    let kinds = prop_oneof![
        3 => select(calls.collect::<Vec<_>>()),
        6 => select(sound),
        1 => select(other),
    ];
    let name = |kind, i: u8| EntityId::new(kind, &i.to_string()).unwrap();
    let one = (kinds, 0..6_u8, 0..6_u8).prop_map(move |((from, relation, to), a, b)| {
        Link::new(name(from, a), relation, name(to, b))
    });
    prop::collection::vec(one, 0..120)
}

fn learned(links: &[Link], limits: Limits) -> Topology {
    let mut topology = Topology::new(limits);
    for (i, link) in links.iter().enumerate() {
        let at = Timestamp::from_millis(i as i64);
        topology.learn(&link.from, std::slice::from_ref(link), at);
    }
    topology
}

/// One link of each entity where there may be one only: which of several counts depends on the order.
fn settled(mut links: Vec<Link>) -> Vec<Link> {
    links.retain(Link::is_sound);
    links.sort();
    links.dedup_by_key(|link| {
        let single = link.relation.is_single(link.from.kind());
        (
            link.from.clone(),
            link.relation,
            (!single).then(|| link.to.clone()),
        )
    });
    links
}

fn check(topology: &Topology, id: &EntityId) -> Result<(), TestCaseError> {
    let around = topology.surroundings(id);
    let mut affected = around.affected.clone();
    affected.sort();
    affected.dedup();
    prop_assert_eq!(affected.len(), around.affected.len());
    prop_assert!(!affected.contains(id) && affected.len() <= MAX_AFFECTED);
    prop_assert!(around.n_affected as usize >= affected.len());
    prop_assert_eq!(around.paths.len(), affected.len().min(MAX_PATHS));
    for (path, service) in around.paths.iter().zip(&around.affected) {
        prop_assert!(path.first() == Some(id) && path.last() == Some(service));
        prop_assert!(path.len() <= MAX_DEPTH as usize + 1);
    }
    prop_assert!(around.paths.is_sorted_by_key(Vec::len));
    prop_assert!((1..=4).contains(&around.tier));
    let causes = topology.causes(id);
    prop_assert!(causes.is_sorted_by(|a, b| (a.1, &a.0) < (b.1, &b.0)));
    prop_assert!(
        causes
            .iter()
            .all(|(cause, hops)| cause != id && *hops <= MAX_CAUSE_HOPS)
    );
    // What suffers has its cause among the causes.
    for path in around
        .paths
        .iter()
        .filter(|path| path.len() <= MAX_CAUSE_HOPS as usize + 1)
    {
        let causes = topology.causes(&path[path.len() - 1]);
        let hops = causes
            .iter()
            .find(|(cause, _)| cause == id)
            .map(|(_, hops)| *hops as usize);
        prop_assert!(hops.is_some_and(|hops| hops < path.len()), "{:?}", path);
    }
    Ok(())
}

proptest! {
    #[test]
    fn walks_end_and_what_they_tell_holds_together(links in links()) {
        let topology = learned(&links, Limits::default());
        for entity in topology.entities() {
            check(&topology, entity.id)?;
        }
    }

    #[test]
    fn the_order_in_which_things_become_known_makes_no_difference(
        (one, other) in links().prop_map(settled).prop_flat_map(|links| (Just(links.clone()), Just(links).prop_shuffle())),
    ) {
        let (one, other) = (learned(&one, Limits::default()), learned(&other, Limits::default()));
        prop_assert!(one.entities().map(|it| it.id).eq(other.entities().map(|it| it.id)));
        for entity in one.entities() {
            prop_assert_eq!(one.surroundings(entity.id), other.surroundings(entity.id));
            prop_assert_eq!(one.causes(entity.id), other.causes(entity.id));
            prop_assert_eq!(one.links(entity.id), other.links(entity.id));
        }
    }

    #[test]
    fn bounds_hold_whatever_comes(links in links(), learned_most in 0..12_usize, links_most in 0..4_usize) {
        let limits = Limits { learned: learned_most, links: links_most };
        let topology = learned(&links, limits);
        let counts = topology.counts();
        prop_assert!(counts.learned <= learned_most && counts.entities == counts.learned);
        let mut ends = 0;
        for entity in topology.entities() {
            let links = topology.links(entity.id);
            let out = links.iter().filter(|link| link.from == *entity.id).count();
            prop_assert!(out <= links_most && links.len() - out <= links_most);
            prop_assert!(links.iter().all(Link::is_sound));
            ends += links.len();
            check(&topology, entity.id)?;
        }
        prop_assert_eq!(ends, 2 * counts.links);
    }

    #[test]
    fn fewer_links_affect_no_more(
        (all, some) in links().prop_map(settled).prop_flat_map(|mut links| {
            // Without volumes: one that nobody is known to store on is everybody's.
            links.retain(|link| link.from.kind() != Kind::Volume && link.to.kind() != Kind::Volume);
            let n = links.len();
            (Just(links.clone()), subsequence(links, 0..=n))
        }),
    ) {
        let (all, some) = (learned(&all, Limits::default()), learned(&some, Limits::default()));
        for entity in some.entities() {
            prop_assert!(some.surroundings(entity.id).n_affected <= all.surroundings(entity.id).n_affected);
        }
    }
}
