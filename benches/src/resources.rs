//! What the process has used so far, as the kernel counts it.

use std::fs;

use rustix::time::{ClockId, clock_gettime};

/// Processor time of the calling thread, in seconds.
pub(crate) fn thread_cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Processor time of the process by what its threads are called, in seconds. A thread that has ended is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CpuByThread {
    /// Threads that score: `shard-0`, `shard-1` and so on.
    pub shards: f64,
    /// Threads that serve: those of the server's runtime.
    pub server: f64,
    /// All others: the client's.
    pub client: f64,
}

impl CpuByThread {
    /// Until now. All zeroes where the kernel keeps no `schedstat`.
    #[must_use]
    pub fn now() -> Self {
        let mut sum = Self::default();
        for task in fs::read_dir("/proc/self/task")
            .into_iter()
            .flatten()
            .flatten()
        {
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            // The first of three numbers: nanoseconds on a processor.
            let ns = read("schedstat");
            let ns: f64 = ns
                .split(' ')
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0.0);
            let name = read("comm");
            let place = if name.starts_with("shard-") {
                &mut sum.shards
            } else if name.starts_with(SERVER_THREADS) {
                &mut sum.server
            } else {
                &mut sum.client
            };
            *place += ns / 1e9;
        }
        sum
    }

    /// From `before` to this.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            shards: self.shards - before.shards,
            server: self.server - before.server,
            client: self.client - before.client,
        }
    }
}

/// What the threads of the server's runtime are called.
pub(crate) const SERVER_THREADS: &str = "server";

/// Memory of the process that is in RAM, in bytes; 0 where the kernel does not say.
#[must_use]
pub fn rss_bytes() -> u64 {
    kib("/proc/self/status", "VmRSS:") * 1024
}

/// Memory that the machine can still give, in bytes; 0 where the kernel does not say.
#[must_use]
pub fn available_bytes() -> u64 {
    kib("/proc/meminfo", "MemAvailable:") * 1024
}

fn kib(path: &str, field: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(field));
    value
        .and_then(|value| value.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers() {
        let (rss, available) = (rss_bytes(), available_bytes());
        assert!(rss > 100_000 && available > rss, "{rss} {available}");
        let (before, by_thread) = (thread_cpu_s(), CpuByThread::now());
        while thread_cpu_s() < before + 0.02 {
            std::hint::spin_loop();
        }
        let used = CpuByThread::now().since(&by_thread);
        assert!(used.client >= 0.01, "{used:?}");
    }
}
