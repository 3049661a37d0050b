//! Whether a day ahead is right: against levels that are made to cross their limit, or not to.

#![expect(clippy::cast_sign_loss, reason = "a test knows its numbers")]

mod coverage;
mod levels;
mod news;
#[cfg(feature = "prophet")]
mod prophet;
mod reach;
mod short;
