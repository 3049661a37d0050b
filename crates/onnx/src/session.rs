//! Making a session of the runtime.

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

/// A session that runs on the thread that calls it, and on no other: threads are ours to give out.
pub(crate) fn open(environment: &Environment, bytes: &[u8]) -> Result<Session, String> {
    let build = || -> ort::Result<Session> {
        Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            // A pattern of memory is kept per shape of input; batches here have many.
            .with_memory_pattern(false)?
            .commit_from_memory(bytes)
    };
    build().map_err(|error| brief(&error.to_string()))
}

/// The first lines of a message: tract tells its whole way through a graph.
pub(crate) fn brief(message: &str) -> String {
    const MOST: usize = 400;
    let mut text: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = text.char_indices().nth(MOST) {
        text.truncate(at);
        text.push('…');
    }
    text
}
