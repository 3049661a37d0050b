//! What the lookout makes of what comes in; how good its forecasts are is measured by `forestall eval exhaustion`.

mod found;
mod refreshed;
mod remembered;
mod services;

use super::*;
use features::headroom::N_HEADROOM;
use predict::exhaustion::{CLASSES, Network};

/// A judge that says the same of everything: every stretch of time is as likely.
fn judge() -> Arc<Judge> {
    let network = |n: usize| {
        let layer = (vec![0.0; n * CLASSES], vec![0.0; CLASSES]);
        Network::new(n, vec![layer]).unwrap()
    };
    Arc::new(Judge::new(network(N_HEADROOM), network(3 * N_HEADROOM + 1)).unwrap())
}

/// A lookout and the series it was told of.
struct Rig {
    lookout: Lookout,
    keys: Vec<String>,
    now_s: f64,
}

impl Rig {
    fn new() -> Self {
        Self::with(LookoutConfig {
            refresh_s: 0.0,
            ..LookoutConfig::default()
        })
    }

    fn with(config: LookoutConfig) -> Self {
        Self {
            lookout: Lookout::new(config, judge()),
            keys: Vec::new(),
            now_s: 1_000_000.0,
        }
    }

    /// Pushes a value at the present instant, and makes the series known before if need be.
    fn push(&mut self, key: &str, value: f64) -> &mut Self {
        let id = self
            .keys
            .iter()
            .position(|have| have == key)
            .unwrap_or_else(|| {
                self.keys.push(key.to_owned());
                let id = SeriesId(self.keys.len() as u32 - 1);
                let key: SeriesKey = key.parse().unwrap();
                self.lookout.add_series(id, &Arc::new(key));
                id.index()
            });
        self.lookout.push(Sample {
            series: SeriesId(id as u32),
            at: Timestamp::from_secs_f64(self.now_s).unwrap(),
            value,
        });
        self
    }

    fn wait(&mut self, seconds: f64) -> &mut Self {
        self.now_s += seconds;
        self
    }

    fn outlooks(&mut self) -> Vec<Outlook> {
        let mut out = Vec::new();
        let now = Timestamp::from_secs_f64(self.now_s).unwrap();
        self.lookout.refresh(now, usize::MAX, &mut out);
        out
    }

    /// Name, level and limit of each resource that is told of.
    fn told(&mut self) -> Vec<(String, f64, f64)> {
        let outlooks = self.outlooks();
        let name = |outlook: &Outlook| {
            self.lookout.resources()[outlook.resource as usize]
                .key
                .to_string()
        };
        outlooks
            .iter()
            .map(|o| (name(o), o.level, o.limit))
            .collect()
    }

    fn missing(&self) -> Vec<Option<&str>> {
        self.lookout
            .resources()
            .iter()
            .map(|r| r.missing.as_deref())
            .collect()
    }
}

fn told(name: &str, level: f64, limit: f64) -> Vec<(String, f64, f64)> {
    vec![(name.to_owned(), level, limit)]
}
