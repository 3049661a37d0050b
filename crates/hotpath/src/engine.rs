//! The threads that run shards, behind bounded queues.
