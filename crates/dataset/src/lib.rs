//! Captured data sets, looked at and cut as tables. A crate because it fences polars.
