//! The columns of one batch of a stranger's file, each checked before it is read.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, StringArray};

use super::file::ReadError;

/// One batch, and where it came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) path: &'a Path,
    /// Counted from 0; `None` where there are none, in a journal.
    pub(super) row_group: Option<usize>,
    pub(super) batch: &'a RecordBatch,
}

/// Text that repeats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    /// By row: the place in `values`.
    pub(super) codes: &'a [i32],
    pub(super) values: &'a StringArray,
}

impl<'a> Texts<'a> {
    /// The text of row `i`.
    pub(super) fn at(&self, i: usize) -> &'a str {
        // Codes were held against the number of values.
        self.values
            .value(usize::try_from(self.codes[i]).unwrap_or(0))
    }
}

impl<'a> Cells<'a> {
    /// What is wrong with a column.
    pub(super) fn blame(&self, column: &str, message: impl Into<String>) -> ReadError {
        ReadError::Column {
            path: self.path.to_owned(),
            row_group: self.row_group,
            column: column.to_owned(),
            message: message.into(),
        }
    }

    fn column(&self, name: &str) -> Result<&'a ArrayRef, ReadError> {
        self.batch
            .column_by_name(name)
            .ok_or_else(|| self.blame(name, "missing"))
    }

    fn whole(&self, name: &str) -> Result<&'a ArrayRef, ReadError> {
        let column = self.column(name)?;
        match column.null_count() {
            0 => Ok(column),
            n => Err(self.blame(name, format!("{n} nulls, none is allowed"))),
        }
    }

    /// Numbers or instants, none null.
    pub(super) fn numbers<T: ArrowPrimitiveType>(
        &self,
        name: &str,
    ) -> Result<&'a [T::Native], ReadError> {
        let typed = self.whole(name)?.as_primitive_opt::<T>();
        let typed = typed.ok_or_else(|| self.blame(name, "of another type"))?;
        Ok(&typed.values()[..])
    }

    /// Instants, some of which may be null.
    pub(super) fn optional_times(
        &self,
        name: &str,
    ) -> Result<&'a PrimitiveArray<TimestampMicrosecondType>, ReadError> {
        let typed = self.column(name)?.as_primitive_opt();
        typed.ok_or_else(|| self.blame(name, "of another type"))
    }

    /// Text, none null.
    pub(super) fn plain_text(&self, name: &str) -> Result<&'a StringArray, ReadError> {
        let typed = self.whole(name)?.as_string_opt::<i32>();
        typed.ok_or_else(|| self.blame(name, "of another type"))
    }

    /// Text that repeats, none null.
    pub(super) fn texts(&self, name: &str) -> Result<Texts<'a>, ReadError> {
        let column = self.whole(name)?;
        let typed = column.as_any_dictionary_opt();
        let keys = typed.and_then(|typed| typed.keys().as_primitive_opt::<Int32Type>());
        let values = typed.and_then(|typed| typed.values().as_string_opt::<i32>());
        let (Some(keys), Some(values)) = (keys, values) else {
            return Err(self.blame(name, "of another type"));
        };
        let codes = &keys.values()[..];
        let is_known = |&code: &i32| usize::try_from(code).is_ok_and(|code| code < values.len());
        if !codes.iter().all(is_known) || values.null_count() > 0 {
            return Err(self.blame(name, "its dictionary lacks values"));
        }
        Ok(Texts { codes, values })
    }
}
