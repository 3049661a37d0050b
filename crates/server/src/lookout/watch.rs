//! A reader that watches outlooks, and the queue between it and the lookout's thread.
//!
//! The queue holds at most one outlook of a resource, the newest: a reader that is behind would skip the others. When it
//! is full, the oldest goes. What a reader did not get is counted, and it is told.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use predict::exhaustion::Family;
use series::SeriesKey;
use tokio::sync::Notify;

use super::board::Said;
use super::wanted::Wanted;
use crate::selector::Selector;

/// One reader.
#[derive(Debug)]
pub(crate) struct Watcher {
    wanted: Wanted,
    selector: Selector,
    queue: Mutex<Queue>,
    capacity: usize,
    filled: Notify,
    all_dropped: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Resources in the order in which they wait.
    order: VecDeque<u32>,
    waiting: HashMap<u32, Arc<Said>>,
    /// Whether the selector picks a resource, once it was asked.
    picked: HashMap<u32, bool>,
    /// Resources that the reader was told of as likely to run out, and not yet that it is over.
    likely: HashSet<u32>,
    dropped: u64,
}

impl Watcher {
    pub(super) fn new(
        wanted: Wanted,
        selector: Selector,
        capacity: usize,
        all_dropped: Arc<AtomicU64>,
    ) -> Self {
        Self {
            wanted,
            selector,
            queue: Mutex::default(),
            capacity: capacity.max(1),
            filled: Notify::new(),
            all_dropped,
        }
    }

    /// On the lookout's thread: takes the outlook if the reader wants it.
    pub(super) fn offer(&self, family: Family, key: &SeriesKey, said: &Arc<Said>) {
        if !self.wanted.family(family) {
            return;
        }
        let resource = said.outlook.resource;
        let mut queue = self.queue.lock();
        let picked = *queue
            .picked
            .entry(resource)
            .or_insert_with(|| self.selector.picks(key));
        if !picked {
            return;
        }
        if self.wanted.min_probability > 0.0 {
            let is_over = !self.wanted.likely(said);
            let was_likely = if is_over {
                queue.likely.remove(&resource)
            } else {
                !queue.likely.insert(resource)
            };
            if is_over && !was_likely {
                return;
            }
        }
        let dropped = queue.push(resource, said, self.capacity);
        drop(queue);
        if dropped {
            self.all_dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.filled.notify_one();
    }

    /// Whether the reader wants this outlook to begin with. If it does it counts as told, so that the reader will hear when it is
    /// over.
    pub(super) fn begin_with(&self, family: Family, key: &SeriesKey, said: &Said) -> bool {
        let is_wanted =
            self.wanted.family(family) && self.wanted.likely(said) && self.selector.picks(key);
        if is_wanted && self.wanted.min_probability > 0.0 {
            self.queue.lock().likely.insert(said.outlook.resource);
        }
        is_wanted
    }

    /// Waits for outlooks, and takes up to `max` of them with the number that was dropped.
    pub(crate) async fn next(&self, max: usize) -> (Vec<Arc<Said>>, u64) {
        loop {
            let filled = self.filled.notified();
            let (told, dropped) = self.take(max);
            if !told.is_empty() || dropped > 0 {
                return (told, dropped);
            }
            filled.await;
        }
    }

    pub(super) fn take(&self, max: usize) -> (Vec<Arc<Said>>, u64) {
        let mut queue = self.queue.lock();
        let Queue {
            order,
            waiting,
            dropped,
            ..
        } = &mut *queue;
        let n = order.len().min(max);
        let told = order
            .drain(..n)
            .filter_map(|resource| waiting.remove(&resource));
        (told.collect(), std::mem::take(dropped))
    }
}

impl Queue {
    /// Whether one had to go for it.
    fn push(&mut self, resource: u32, said: &Arc<Said>, capacity: usize) -> bool {
        if let Some(older) = self.waiting.get_mut(&resource) {
            *older = Arc::clone(said);
            self.dropped += 1;
            return true;
        }
        let is_full = self.order.len() >= capacity;
        if is_full && let Some(oldest) = self.order.pop_front() {
            self.waiting.remove(&oldest);
            self.dropped += 1;
        }
        self.order.push_back(resource);
        self.waiting.insert(resource, Arc::clone(said));
        is_full
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::tests::{said, stale};
    use super::*;

    fn watcher(wanted: Wanted, selector: &str, capacity: usize) -> Watcher {
        let selector = Selector::parse(selector).unwrap();
        Watcher::new(wanted, selector, capacity, Arc::default())
    }

    fn offer(watcher: &Watcher, said: Said) {
        let key = SeriesKey::new("used", [("n", said.outlook.resource.to_string())]).unwrap();
        watcher.offer(said.outlook.family, &key, &Arc::new(said));
    }

    /// Resource and level of each, and the number dropped.
    fn told(watcher: &Watcher) -> (Vec<(u32, f64)>, u64) {
        let (told, dropped) = watcher.take(100);
        let one = |said: &Arc<Said>| (said.outlook.resource, said.outlook.level);
        (told.iter().map(one).collect(), dropped)
    }

    #[test]
    fn a_slow_reader_gets_the_newest_of_each_and_the_number_it_missed() {
        let watcher = watcher(Wanted::default(), "", 2);
        for level in 0..3 {
            offer(&watcher, said(0, f64::from(level), 0.0));
            offer(&watcher, said(1, f64::from(level), 0.0));
        }
        assert_eq!(told(&watcher), (vec![(0, 2.0), (1, 2.0)], 4));
        for resource in 0..3 {
            offer(&watcher, said(resource, 7.0, 0.0));
        }
        assert_eq!(told(&watcher), (vec![(1, 7.0), (2, 7.0)], 1));
        assert_eq!(told(&watcher), (vec![], 0));
    }

    #[test]
    fn only_what_the_selector_picks_takes_room() {
        let watcher = watcher(Wanted::default(), "{n=\"1\"}", 1);
        offer(&watcher, said(1, 1.0, 0.0));
        offer(&watcher, said(0, 1.0, 0.0));
        assert_eq!(told(&watcher), (vec![(1, 1.0)], 0));
        let families = vec![Family::Disk];
        let disks = Wanted {
            families,
            ..Wanted::default()
        };
        let watcher = self::watcher(disks, "", 1);
        offer(&watcher, said(1, 1.0, 0.0));
        assert_eq!(told(&watcher), (vec![], 0));
    }

    #[test]
    fn that_it_is_over_is_told_once() {
        let likely = Wanted {
            min_probability: 0.5,
            ..Wanted::default()
        };
        let watcher = watcher(likely, "", 8);
        let mut heard = Vec::new();
        let steps = [
            said(0, 1.0, 0.2),
            said(0, 2.0, 0.6),
            said(0, 3.0, 0.7),
            said(0, 4.0, 0.4),
            said(0, 5.0, 0.3),
            said(0, 6.0, 0.9),
            stale(said(0, 7.0, 0.9)),
        ];
        for step in steps {
            offer(&watcher, step);
            heard.extend(told(&watcher).0.iter().map(|(_, level)| *level as i64));
        }
        assert_eq!(heard, [2, 3, 4, 6, 7]);
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let watcher = Arc::new(watcher(Wanted::default(), "", 8));
        let reader = tokio::spawn({
            let watcher = Arc::clone(&watcher);
            async move { watcher.next(8).await.0.len() }
        });
        tokio::task::yield_now().await;
        offer(&watcher, said(0, 1.0, 0.0));
        assert_eq!(reader.await.unwrap(), 1);
    }
}
