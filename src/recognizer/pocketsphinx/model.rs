//! The models that a decoder is made from.

use std::ffi::CStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::PocketSphinxError;

/// Where Debian's `pocketsphinx-en-us` puts the acoustic model.
pub const ACOUSTIC_MODEL: &str = "/usr/share/pocketsphinx/model/en-us/en-us";

const LANGUAGE_MODEL: &[u8] = include_bytes!("../../../assets/pocketsphinx/handoff.arpa");
const DICTIONARY: &[u8] = include_bytes!("../../../assets/pocketsphinx/handoff.dict");

/// Cepstral means of telephone speech, from which a decoder starts to adapt. The acoustic model's
/// own are those of 16 kHz microphones and cost the first words of every call.
pub(super) const TELEPHONE_MEANS: &CStr =
    c"41.00,-5.29,-0.12,5.09,2.48,-4.07,-1.37,-1.78,-5.08,-2.05,-6.45,-1.42,1.17";

/// Files for the library to read: it takes paths only.
#[derive(Debug)]
pub(super) struct ModelFiles {
    pub(super) acoustic: PathBuf,
    pub(super) language: PathBuf,
    pub(super) dictionary: PathBuf,
}

impl ModelFiles {
    /// Checks the acoustic model and writes the embedded models to `scratch`.
    pub(super) fn write(acoustic: &Path, scratch: &Path) -> Result<Self, PocketSphinxError> {
        if !acoustic.join("mdef").is_file() {
            return Err(PocketSphinxError::AcousticModelMissing {
                path: acoustic.to_owned(),
            });
        }
        fs::create_dir_all(scratch).map_err(|source| PocketSphinxError::Scratch {
            path: scratch.to_owned(),
            source,
        })?;
        Ok(Self {
            acoustic: acoustic.to_owned(),
            language: write(scratch, "handoff.arpa", LANGUAGE_MODEL)?,
            dictionary: write(scratch, "handoff.dict", DICTIONARY)?,
        })
    }
}

/// Writes beside and renames, so that a decoder of another process never reads half a file.
fn write(scratch: &Path, name: &str, content: &[u8]) -> Result<PathBuf, PocketSphinxError> {
    let path = scratch.join(name);
    let beside = scratch.join(format!("{name}.{}", std::process::id()));
    fs::write(&beside, content)
        .and_then(|()| fs::rename(&beside, &path))
        .map_err(|source| PocketSphinxError::Scratch {
            path: path.clone(),
            source,
        })?;
    Ok(path)
}
