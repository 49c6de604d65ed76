//! Whether a directory can be made and written, found out without making or writing anything.
//!
//! `check` may run as another user than the server and before it: a directory that it made would be
//! in the server's way.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DataDirError {
    #[error("is empty; give a directory, on a volume if there is one")]
    Empty,
    #[error("cannot be made: {} is a file", .0.display())]
    BelowAFile(PathBuf),
    #[error("cannot be written: {}: {reason}", .place.display())]
    NotWritable { place: PathBuf, reason: Error },
}

/// Accepts a directory that can be written, or could be made and then written.
pub(super) fn parse(text: &str) -> Result<PathBuf, DataDirError> {
    if text.is_empty() {
        return Err(DataDirError::Empty);
    }
    let directory = PathBuf::from(text);
    let place = nearest(&directory)?;
    let permissions = Access::WRITE_OK | Access::EXEC_OK;
    match access(&place, permissions) {
        Ok(()) => Ok(directory),
        Err(errno) => Err(DataDirError::NotWritable {
            place,
            reason: errno.into(),
        }),
    }
}

/// The directory itself, or the nearest one above it that exists.
fn nearest(directory: &Path) -> Result<PathBuf, DataDirError> {
    for place in directory.ancestors() {
        // The last ancestor of a relative path is empty and means where we are.
        let place = match place.as_os_str().is_empty() {
            true => Path::new("."),
            false => place,
        };
        match fs::metadata(place) {
            Ok(found) if found.is_dir() => return Ok(place.to_owned()),
            Ok(_) => return Err(DataDirError::BelowAFile(place.to_owned())),
            Err(error) if may_be_made(&error) => {}
            Err(reason) => {
                return Err(DataDirError::NotWritable {
                    place: place.to_owned(),
                    reason,
                });
            }
        }
    }
    Ok(PathBuf::from("."))
}

/// Below a file nothing is found either; the file shows one step up.
fn may_be_made(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
