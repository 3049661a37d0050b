//! Learned state as bytes.
