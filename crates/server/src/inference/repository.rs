//! Which models there are, which of their versions are loaded, and which one a request gets.
//!
//! The default version of a model is its champion, or its newest version while there is none. Default versions are
//! loaded at the start and when they change; any other version when it is first asked for. A version that cannot be
//! loaded says why until it is loaded anew, and the one before it goes on serving.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use store::models::Name;

use super::edition::Edition;
use super::runner::Runner;
use super::served::Served;
use crate::metrics::{ModelMetrics, ModelRow};

/// Where models come from.
pub(crate) trait Library: Send + Sync + Debug {
    /// All models with their versions; cheap, nothing is opened.
    ///
    /// # Errors
    /// Why it cannot be told.
    fn list(&self) -> Result<Vec<Entry>, String>;

    /// Reads, checks and tries one version. May take seconds.
    ///
    /// # Errors
    /// Why it cannot be served.
    fn open(&self, name: &Name, version: Edition) -> Result<Arc<dyn Runner>, String>;
}

/// One model of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    /// Ascending.
    pub(crate) versions: Vec<Edition>,
    pub(crate) champion: Option<Edition>,
}

/// Why a model cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    /// There is none of this name.
    #[error("there is no model {0:?}; RepositoryIndex lists those that there are")]
    Model(String),
    /// There is no such version.
    #[error("model {name:?} has no version {version:?}; there are {known}")]
    Version {
        /// The model.
        name: String,
        /// What was asked for.
        version: String,
        /// Those that there are.
        known: String,
    },
    /// It was unloaded, or cannot be loaded.
    #[error("model {name:?} version {version} is not loaded: {why}")]
    NotLoaded {
        /// The model.
        name: String,
        /// Its version.
        version: String,
        /// The reason.
        why: String,
    },
    /// As many are loaded as may be.
    #[error(
        "{0} versions of models are loaded, as many as inference.max_models allows; unload one"
    )]
    Limit(usize),
    /// The library does not answer.
    #[error("listing models: {0}")]
    Library(String),
}

/// What a request finds.
#[derive(Debug)]
pub(crate) enum Found {
    /// A model to ask.
    Ready(Arc<Served>),
    /// A version that is there and was never loaded: [`Repository::load_version`] does.
    Unread(Name, Edition),
}

/// One row of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Indexed {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Why it is not ready; `None` when it is.
    pub(crate) reason: Option<String>,
}

#[derive(Debug)]
enum State {
    Unread,
    Ready(Arc<Served>),
    Not(String),
}

#[derive(Debug)]
struct Shelf {
    name: Name,
    default: Edition,
    versions: BTreeMap<Edition, State>,
    /// Somebody unloaded it: it stays so until it is loaded by name.
    unloaded: bool,
}

/// The models that are served.
#[derive(Debug)]
pub(crate) struct Repository {
    library: Box<dyn Library>,
    shelves: RwLock<BTreeMap<String, Shelf>>,
    /// Counters outlive a reload of the same version.
    metrics: Mutex<BTreeMap<(Name, Edition), Arc<ModelMetrics>>>,
    /// One change at a time; requests do not wait for it.
    changing: Mutex<()>,
    limits: Limits,
}

/// What one repository may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Versions that are loaded at once.
    pub(crate) max_models: usize,
    /// Bytes of one answer's tensors.
    pub(crate) max_tensor_bytes: usize,
}

impl Repository {
    /// Of all models of a library; nothing is loaded before [`Repository::refresh`].
    pub(crate) fn new(library: Box<dyn Library>, limits: Limits) -> Self {
        Self {
            library,
            shelves: RwLock::default(),
            metrics: Mutex::default(),
            changing: Mutex::default(),
            limits,
        }
    }

    /// The model that a request is for; an empty version is the default one.
    pub(crate) fn find(&self, name: &str, version: &str) -> Result<Found, Unavailable> {
        let shelves = self.shelves.read();
        let shelf = shelves
            .get(name)
            .ok_or_else(|| Unavailable::Model(name.chars().take(80).collect()))?;
        let asked = match version {
            "" => Some(shelf.default),
            text => text.parse().ok(),
        };
        let Some((asked, state)) = asked.and_then(|v| shelf.versions.get_key_value(&v)) else {
            let known: Vec<String> = shelf.versions.keys().map(Edition::to_string).collect();
            return Err(Unavailable::Version {
                name: name.to_owned(),
                version: version.chars().take(80).collect(),
                known: known.join(", "),
            });
        };
        match state {
            State::Ready(served) => Ok(Found::Ready(Arc::clone(served))),
            State::Unread => Ok(Found::Unread(shelf.name.clone(), *asked)),
            State::Not(why) => Err(Unavailable::NotLoaded {
                name: name.to_owned(),
                version: asked.to_string(),
                why: why.clone(),
            }),
        }
    }

    /// Loads a version that [`Repository::find`] found unread. Blocks.
    pub(crate) fn load_version(
        &self,
        name: &Name,
        version: Edition,
    ) -> Result<Arc<Served>, Unavailable> {
        let _turn = self.changing.lock();
        // Somebody else may have been faster.
        match self.find(name.as_str(), &version.to_string())? {
            Found::Ready(served) => Ok(served),
            Found::Unread(..) => self.open(name, version),
        }
    }

    /// Looks what the library holds by now, and loads default versions that are not. Blocks. What is loaded is not
    /// read anew: versions never change.
    pub(crate) fn refresh(&self) -> Result<(), Unavailable> {
        let _turn = self.changing.lock();
        for (name, default) in self.survey()? {
            self.make_default(&name, default);
        }
        Ok(())
    }

    /// Loads the default version of a model by name, anew if it is loaded; other versions will be when they are asked
    /// for. Blocks. When it fails, what was served before goes on.
    pub(crate) fn load(&self, name: &str) -> Result<(), Unavailable> {
        let _turn = self.changing.lock();
        let surveyed = self.survey()?;
        let entry = surveyed.iter().find(|(known, _)| known.as_str() == name);
        let (name, default) =
            entry.ok_or_else(|| Unavailable::Model(name.chars().take(80).collect()))?;
        self.change(name, |shelf| {
            shelf.unloaded = false;
            for state in shelf.versions.values_mut() {
                if matches!(state, State::Not(_)) {
                    *state = State::Unread;
                }
            }
        });
        self.open(name, *default)?;
        self.change(name, |shelf| shelf.default = *default);
        Ok(())
    }

    /// Lets all versions of a model go. Requests that hold one end first.
    pub(crate) fn unload(&self, name: &str) -> Result<(), Unavailable> {
        let _turn = self.changing.lock();
        let mut shelves = self.shelves.write();
        let shelf = shelves
            .get_mut(name)
            .ok_or_else(|| Unavailable::Model(name.chars().take(80).collect()))?;
        shelf.unloaded = true;
        for state in shelf.versions.values_mut() {
            *state = State::Not("unloaded by request".to_owned());
        }
        Ok(())
    }

    /// All versions, by name and version.
    pub(crate) fn index(&self) -> Vec<Indexed> {
        let shelves = self.shelves.read();
        let rows = shelves.iter().flat_map(|(name, shelf)| {
            shelf.versions.iter().map(move |(version, state)| Indexed {
                name: name.clone(),
                version: version.to_string(),
                reason: match state {
                    State::Ready(_) => None,
                    State::Unread => Some("will be loaded when it is first asked for".to_owned()),
                    State::Not(why) => Some(why.clone()),
                },
            })
        });
        rows.collect()
    }

    /// All that are loaded, by name and version.
    pub(crate) fn loaded(&self) -> Vec<Arc<Served>> {
        let shelves = self.shelves.read();
        let states = shelves.values().flat_map(|shelf| shelf.versions.values());
        let ready = states.filter_map(|state| match state {
            State::Ready(served) => Some(Arc::clone(served)),
            State::Unread | State::Not(_) => None,
        });
        ready.collect()
    }

    /// Shows `each` what was counted of the models that are loaded.
    pub(crate) fn with_rows<T>(&self, each: impl FnOnce(&[ModelRow<'_>]) -> T) -> T {
        let loaded = self.loaded();
        let rows = loaded.iter().map(|served| ModelRow {
            name: &served.name,
            version: &served.version,
            waiting: served.waiting(),
            metrics: &served.metrics,
        });
        each(&rows.collect::<Vec<_>>())
    }

    /// Brings the shelves in line with the library, and says which version of each model ought to be the default.
    fn survey(&self) -> Result<Vec<(Name, Edition)>, Unavailable> {
        let entries = self.library.list().map_err(Unavailable::Library)?;
        let mut shelves = self.shelves.write();
        let mut wanted = Vec::new();
        for entry in entries {
            let champion = entry.champion.filter(|c| entry.versions.contains(c));
            let Some(default) = champion.or(entry.versions.last().copied()) else {
                continue;
            };
            let key = entry.name.as_str().to_owned();
            let shelf = shelves.entry(key).or_insert_with(|| Shelf {
                name: entry.name.clone(),
                default,
                versions: BTreeMap::new(),
                unloaded: false,
            });
            shelf.versions.retain(|v, _| entry.versions.contains(v));
            for version in entry.versions {
                let new = || match shelf.unloaded {
                    true => State::Not("unloaded by request".to_owned()),
                    false => State::Unread,
                };
                shelf.versions.entry(version).or_insert_with(new);
            }
            if !shelf.versions.contains_key(&shelf.default) {
                shelf.default = default;
            }
            wanted.push((entry.name, default));
        }
        shelves.retain(|_, shelf| wanted.iter().any(|(name, _)| *name == shelf.name));
        self.metrics.lock().retain(|(name, version), _| {
            let shelf = shelves.get(name.as_str());
            shelf.is_some_and(|shelf| shelf.versions.contains_key(version))
        });
        Ok(wanted)
    }

    /// Makes a version the default of its model once it is loaded.
    fn make_default(&self, name: &Name, version: Edition) {
        let unread = {
            let shelves = self.shelves.read();
            let shelf = shelves.get(name.as_str());
            let state = shelf.and_then(|shelf| shelf.versions.get(&version));
            matches!(state, Some(State::Unread))
        };
        if unread && let Err(error) = self.open(name, version) {
            tracing::warn!(%error, "a model is not served");
            return;
        }
        self.change(name, |shelf| {
            if matches!(shelf.versions.get(&version), Some(State::Ready(_))) {
                shelf.default = version;
            }
        });
    }

    fn open(&self, name: &Name, version: Edition) -> Result<Arc<Served>, Unavailable> {
        let others = self.loaded();
        let others = others
            .iter()
            .filter(|served| served.name != name.as_str() || served.version != version.to_string());
        if others.count() >= self.limits.max_models {
            return Err(Unavailable::Limit(self.limits.max_models));
        }
        match self.library.open(name, version) {
            Ok(runner) => {
                let key = (name.clone(), version);
                let mut all = self.metrics.lock();
                let metrics = all
                    .entry(key)
                    .or_insert_with(|| Arc::new(ModelMetrics::new()));
                let (metrics, bytes) = (Arc::clone(metrics), self.limits.max_tensor_bytes);
                let served = Arc::new(Served::new(name.as_str(), version, runner, metrics, bytes));
                self.put(name, version, State::Ready(Arc::clone(&served)));
                Ok(served)
            }
            Err(why) => {
                // A version that serves goes on: what failed is a second reading of it.
                self.change(name, |shelf| {
                    let state = shelf.versions.get_mut(&version);
                    if let Some(state) = state.filter(|s| !matches!(s, State::Ready(_))) {
                        *state = State::Not(why.clone());
                    }
                });
                Err(Unavailable::NotLoaded {
                    name: name.to_string(),
                    version: version.to_string(),
                    why,
                })
            }
        }
    }

    fn put(&self, name: &Name, version: Edition, state: State) {
        self.change(name, |shelf| {
            shelf.versions.insert(version, state);
        });
    }

    fn change(&self, name: &Name, change: impl FnOnce(&mut Shelf)) {
        if let Some(shelf) = self.shelves.write().get_mut(name.as_str()) {
            change(shelf);
        }
    }
}
