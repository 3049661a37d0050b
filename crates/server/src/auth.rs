//! The token that callers show.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Shortest token: long enough that nobody guesses it over a network.
const MIN_BYTES: usize = 16;

/// Checks `authorization: Bearer TOKEN` on every call; lets everything pass when there is no token.
///
/// Only digests are kept and compared, in constant time: neither the time that a comparison takes nor a dump of the
/// memory tells the token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Auth {
    digests: Vec<[u8; 32]>,
}

/// Why a file holds no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("reading it")]
    Io(#[from] io::Error),
    /// Its first line is too short.
    #[error("its first line has {0} bytes, at least {MIN_BYTES} are needed")]
    Short(usize),
}

impl Auth {
    /// The token in the first line of a file.
    pub(crate) fn from_file(path: &Path) -> Result<Self, TokenError> {
        let text = fs::read_to_string(path)?;
        let token = text.lines().next().unwrap_or_default().trim();
        if token.len() < MIN_BYTES {
            return Err(TokenError::Short(token.len()));
        }
        Ok(Self {
            digests: vec![Sha256::digest(token).into()],
        })
    }

    /// Takes other tokens too: whoever has one of them may call. Without one of its own everybody may, as before.
    #[must_use]
    pub(crate) fn or<'a>(mut self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        if !self.digests.is_empty() {
            let others = others.into_iter().flat_map(|other| &other.digests);
            self.digests.extend(others);
        }
        self
    }

    /// Whether a call with this `authorization` may pass; if not, why.
    pub(crate) fn check(&self, shown: Option<&str>) -> Result<(), &'static str> {
        if self.digests.is_empty() {
            return Ok(());
        }
        let Some(token) = shown.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Err("the header `authorization: Bearer TOKEN` is missing");
        };
        let shown = Sha256::digest(token.trim());
        // All are compared, so that the time does not tell which.
        let mut same = subtle::Choice::from(0);
        for digest in &self.digests {
            same |= shown.ct_eq(digest);
        }
        bool::from(same)
            .then_some(())
            .ok_or("the token is not the one of this server")
    }
}

impl Interceptor for Auth {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let shown = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        self.check(shown).map_err(Status::unauthenticated)?;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(auth: &mut Auth, header: Option<&str>) -> tonic::Code {
        let mut request = Request::new(());
        if let Some(header) = header {
            request
                .metadata_mut()
                .insert("authorization", header.parse().unwrap());
        }
        auth.call(request)
            .map_or_else(|status| status.code(), |_| tonic::Code::Ok)
    }

    #[test]
    fn only_the_token_opens() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "0123456789abcdef\nnot this line\n").unwrap();
        let mut auth = Auth::from_file(&path).unwrap();
        assert_eq!(
            code(&mut auth, Some("Bearer 0123456789abcdef")),
            tonic::Code::Ok
        );
        for wrong in [
            None,
            Some("Bearer 0123456789abcdeg"),
            Some("0123456789abcdef"),
            Some("Bearer "),
        ] {
            assert_eq!(code(&mut auth, wrong), tonic::Code::Unauthenticated);
        }
        assert_eq!(code(&mut Auth::default(), None), tonic::Code::Ok);
    }

    #[test]
    fn a_short_token_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "secret\n").unwrap();
        assert!(matches!(Auth::from_file(&path), Err(TokenError::Short(6))));
    }
}
