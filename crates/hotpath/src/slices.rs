//! Saving and restoring while the shards run: a slice at a time, between batches.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::channel;

use series::{SeriesId, SeriesKey};

use crate::lane::{Lane, Letter};
use crate::routes::{Directory, Route};
use crate::snapshot::{Input, write_end};
use crate::{Engine, RestoreError};

/// Series per slice of a snapshot: about a megabyte, copied in well under a millisecond, so that samples hardly wait.
const SLICE: usize = 256;

impl Engine {
    /// Writes what was learned of every series known now; the format is in `snapshot.rs`.
    ///
    /// The stream goes on meanwhile: shards copy a slice between two batches, so each series is whole, and no two
    /// slices are of the same instant. Samples that still wait in a queue are not in it.
    ///
    /// # Errors
    /// When `out` cannot be written, or a shard broke off.
    pub fn snapshot(&self, out: &mut dyn Write) -> io::Result<()> {
        let (keys, routes) = {
            let directory = self.read();
            (directory.keys(), directory.routes().to_vec())
        };
        self.header.write(&keys, out)?;
        let state_bytes = self.header.state_bytes as usize;
        let mut next_event = 1;
        for slice in routes.chunks(SLICE) {
            let replies: Vec<_> = self
                .by_shard(slice)
                .map(|(lane, series)| {
                    lane.map(|lane| {
                        let (reply, receiver) = channel();
                        lane.send(Letter::Save { series, reply });
                        receiver
                    })
                })
                .collect();
            let mut parts = vec![Vec::new(); replies.len()];
            for (part, reply) in parts.iter_mut().zip(replies) {
                if let Some(reply) = reply {
                    let saved = reply.recv().map_err(|_| {
                        io::Error::other("a shard broke off while saving its state")
                    })?;
                    next_event = next_event.max(saved.next_event);
                    *part = saved.bytes;
                }
            }
            let mut parts: Vec<_> = parts
                .iter()
                .map(|bytes| bytes.chunks_exact(state_bytes))
                .collect();
            for state in slice
                .iter()
                .filter_map(|route| parts[route.shard as usize].next())
            {
                out.write_all(state)?;
            }
        }
        // Read off with the last states: an event that is open in any of them has a lower number.
        write_end(next_event, out)
    }

    /// By shard: the way to it, if it has any of the series of `slice`, and its numbers for them.
    fn by_shard(&self, slice: &[Route]) -> impl Iterator<Item = (Option<&Lane>, Vec<SeriesId>)> {
        let mut series = vec![Vec::new(); self.lanes.len()];
        for route in slice {
            series[route.shard as usize].push(route.local);
        }
        self.lanes
            .iter()
            .zip(series)
            .map(|(lane, series)| ((!series.is_empty()).then_some(lane), series))
    }

    /// Takes in what [`Engine::snapshot`] wrote, before any series is registered; returns how many series there were.
    /// They keep their ids. Memory is bounded by what is read, not by what the bytes claim.
    ///
    /// # Errors
    /// [`RestoreError`], which names what does not match; the engine is then as empty as before.
    pub fn restore(&self, input: &mut dyn Read) -> Result<usize, RestoreError> {
        let mut directory = self.write();
        if directory.len() > 0 {
            return Err(RestoreError::NotEmpty(directory.len()));
        }
        let mut input = Input::new(input);
        let keys = self.header.read(&mut input, directory.limit())?;
        let loaded = self.load(keys, &mut directory, input);
        if loaded.is_err() {
            *directory = Directory::new(&self.config, self.lanes.len());
            for lane in &self.lanes {
                lane.send(Letter::Reset);
            }
        }
        loaded
    }

    fn load(
        &self,
        keys: Vec<Arc<SeriesKey>>,
        directory: &mut Directory,
        mut input: Input<'_>,
    ) -> Result<usize, RestoreError> {
        for (i, key) in keys.into_iter().enumerate() {
            let id = directory.register(&key, |shard, newcomer| {
                self.lanes[shard].leave(Letter::Add(newcomer))
            });
            if id != Ok(SeriesId(i as u32)) {
                return Err(RestoreError::Repeated { key });
            }
        }
        let state_bytes = self.header.state_bytes as usize;
        let mut state = vec![0; state_bytes];
        let mut spare = vec![Vec::new(); self.lanes.len()];
        for slice in directory.routes().chunks(SLICE) {
            for route in slice {
                input.fill(&mut state, "the state of a series")?;
                spare[route.shard as usize].extend_from_slice(&state);
            }
            let replies: Vec<_> = self
                .by_shard(slice)
                .zip(&mut spare)
                .map(|((lane, series), spare)| {
                    lane.map(|lane| {
                        let (reply, receiver) = channel();
                        lane.send(Letter::Load {
                            series,
                            bytes: std::mem::take(spare),
                            reply,
                        });
                        receiver
                    })
                })
                .collect();
            for (reply, spare) in replies.into_iter().zip(&mut spare) {
                if let Some(reply) = reply {
                    *spare = reply.recv().map_err(|_| RestoreError::ShardBroke)?;
                }
            }
        }
        let next_event = input.end()?;
        for lane in &self.lanes {
            lane.send(Letter::NumberEvents(next_event));
        }
        Ok(directory.len())
    }
}
