//! A look over the bytes before they are decoded: how much memory would decoding take?
//!
//! Two bytes of a file can become a struct of 300, so the size of a file bounds nothing. This walk knows which fields
//! are messages, texts and lists of numbers, counts them without keeping any, and so refuses a file of that kind before
//! the first allocation. It descends as deep as [`Kind`] does, never deeper.

use crate::check::{GraphError, Limits};

/// A message of which fields are known.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    /// Counted, not looked into: its fields are flat.
    Flat,
}

/// What a field holds, as far as memory is concerned.
enum Field {
    Message(Kind),
    /// A list of numbers, packed: at least one byte each in the file, up to eight in memory.
    Numbers,
    /// One text, or bytes.
    Text,
}

impl Kind {
    const fn field(self, number: u64) -> Field {
        match (self, number) {
            (Self::Model, 7) => Field::Message(Self::Graph),
            (Self::Model, 8 | 14) | (Self::Shape, 1) => Field::Message(Self::Flat),
            (Self::Graph, 1) => Field::Message(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Field::Message(Self::Tensor),
            (Self::Graph, 11 | 12) => Field::Message(Self::ValueInfo),
            (Self::Node, 5) => Field::Message(Self::Attribute),
            (Self::ValueInfo, 2) => Field::Message(Self::Type),
            (Self::Type, 1) => Field::Message(Self::TensorType),
            (Self::TensorType, 2) => Field::Message(Self::Shape),
            (Self::Attribute, 7 | 8) | (Self::Tensor, 1 | 4 | 5 | 7 | 10 | 11) => Field::Numbers,
            _ => Field::Text,
        }
    }
}

/// What has been counted.
struct Scan<'a> {
    limits: &'a Limits,
    entries: usize,
    numbers: usize,
}

/// Refuses bytes that would take more memory than the limits allow, or end within a field.
pub(crate) fn scan(bytes: &[u8], limits: &Limits) -> Result<(), GraphError> {
    if bytes.len() > limits.bytes {
        return Err(GraphError::TooMuch {
            what: "bytes",
            found: bytes.len() as u64,
            limit: limits.bytes as u64,
        });
    }
    let mut scan = Scan {
        limits,
        entries: 0,
        numbers: 0,
    };
    scan.message(bytes, 0, Kind::Model)
}

impl Scan<'_> {
    fn message(&mut self, bytes: &[u8], offset: usize, kind: Kind) -> Result<(), GraphError> {
        let mut at = 0;
        while at < bytes.len() {
            let field = offset + at;
            let broken = move || GraphError::Broken { offset: field };
            let tag = varint(bytes, &mut at).ok_or_else(broken)?;
            match tag & 7 {
                0 => {
                    varint(bytes, &mut at).ok_or_else(broken)?;
                    self.count(0, 1)?;
                }
                1 => {
                    at += 8;
                    self.count(0, 1)?;
                }
                5 => {
                    at += 4;
                    self.count(0, 1)?;
                }
                2 => {
                    let length = varint(bytes, &mut at).ok_or_else(broken)?;
                    let end = usize::try_from(length)
                        .ok()
                        .and_then(|length| at.checked_add(length))
                        .filter(|&end| end <= bytes.len())
                        .ok_or_else(broken)?;
                    match kind.field(tag >> 3) {
                        Field::Message(inner) => {
                            self.count(1, 0)?;
                            self.message(&bytes[at..end], offset + at, inner)?;
                        }
                        Field::Numbers => self.count(0, end - at)?,
                        Field::Text => self.count(1, 0)?,
                    }
                    at = end;
                }
                // Groups are not part of ONNX, and nest.
                _ => return Err(broken()),
            }
            if at > bytes.len() {
                return Err(broken());
            }
        }
        Ok(())
    }

    fn count(&mut self, entries: usize, numbers: usize) -> Result<(), GraphError> {
        self.entries += entries;
        self.numbers += numbers;
        let too_much = |what, found: usize, limit: usize| GraphError::TooMuch {
            what,
            found: found as u64,
            limit: limit as u64,
        };
        if self.entries > self.limits.entries {
            return Err(too_much("entries", self.entries, self.limits.entries));
        }
        // Numbers in a list take up to ten bytes each.
        let limit = self.limits.elements.saturating_mul(10);
        if self.numbers > limit {
            return Err(too_much("bytes of numbers", self.numbers, limit));
        }
        Ok(())
    }
}

/// Reads a number of seven bits per byte.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if shift < 64 {
            value |= u64::from(byte & 0x7f) << shift;
        }
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) -> Result<(), GraphError> {
        let limits = Limits {
            bytes: 1 << 20,
            entries: 1_000,
            elements: 1_000,
            ..Limits::default()
        };
        scan(bytes, &limits)
    }

    #[test]
    fn small_bytes_that_grow_large_are_refused_before_they_do() {
        // A graph (field 7) of 2,000 empty nodes (field 1): 4,000 bytes that would become 2,000 structs.
        let nodes = [0x0a, 0].repeat(2_000);
        let mut bytes = vec![0x3a, 0xa0, 0x1f];
        bytes.extend(&nodes);
        let error = check(&bytes).unwrap_err().to_string();
        assert_eq!(error, "1001 entries are more than the limit of 1000");
    }

    #[test]
    fn a_field_that_ends_early_is_placed() {
        for bytes in [
            &[0x08_u8][..],
            &[0x08, 0x80],
            &[0x3a, 5, 0x0a],
            &[0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            &[0x0d, 0, 0],
            &[0x0b, 0x0c],
        ] {
            let error = check(bytes).unwrap_err();
            assert!(matches!(error, GraphError::Broken { .. }), "{bytes:x?}");
        }
        let error = check(&[0x08, 1, 0x3a, 2, 0x0a, 9]).unwrap_err();
        assert!(matches!(error, GraphError::Broken { offset: 4 }), "{error}");
    }
}
