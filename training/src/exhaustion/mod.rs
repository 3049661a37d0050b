//! When do we run out: episodes made by chance, and the model that is trained on them.

pub mod course;
pub mod episode;
pub mod network;
pub mod service;
