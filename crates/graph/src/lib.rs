//! ONNX files as data: written, read and checked, never run. A crate because two users share nothing else: `training`
//! writes them, `onnx` runs them.
