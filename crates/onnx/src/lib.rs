//! Models that are ONNX graphs. A crate because it fences `ort`: which runtime is there, sessions, and files that lie.
