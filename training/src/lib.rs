//! Learns what `predict` reads. A crate because it keeps a promise: nothing that serves imports it but the retraining
//! thread, and it allocates, takes its time and uses the disk as it likes.
