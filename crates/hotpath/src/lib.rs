//! hotpath
