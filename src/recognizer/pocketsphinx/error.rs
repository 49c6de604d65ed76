//! Why the embedded recognizer cannot be used.

use std::io;
use std::path::PathBuf;

use crate::recognizer::LostReason;

/// An embedded recognizer that could not be loaded, or one speaker that it could not take on.
#[derive(Debug, thiserror::Error)]
pub enum PocketSphinxError {
    /// The C library is not installed. Everything but this recognizer works without it.
    #[error(
        "cannot load {library}: install it with `apt-get install -y libpocketsphinx3 pocketsphinx-en-us`"
    )]
    LibraryMissing {
        /// The file that the loader was asked for.
        library: &'static str,
        /// What the loader says.
        #[source]
        source: libloading::Error,
    },
    /// The library is there but is not version 0.8 or 5prealpha.
    #[error("cannot use {library}: it has no function {function}")]
    FunctionMissing {
        /// The file that was loaded.
        library: &'static str,
        /// The function that it lacks.
        function: &'static str,
        /// What the loader says.
        #[source]
        source: libloading::Error,
    },
    /// The acoustic model is not where it was said to be.
    #[error(
        "cannot find an acoustic model in {}: install one with `apt-get install -y libpocketsphinx3 pocketsphinx-en-us`",
        path.display()
    )]
    AcousticModelMissing {
        /// The folder without a model.
        path: PathBuf,
    },
    /// The language model or the dictionary could not be written for the library to read.
    #[error("cannot write {}", path.display())]
    Scratch {
        /// The file that could not be written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A path that a C string cannot hold.
    #[error("cannot pass a path with a zero byte to the library")]
    Path,
    /// The library does not accept the models.
    #[error("cannot make a decoder from the models")]
    Decoder,
    /// As many speakers are listened to as were allowed. The call goes on without this one.
    #[error("cannot listen to another speaker: all {limit} decoders are in use")]
    Busy {
        /// How many were allowed.
        limit: usize,
    },
    /// The system gave no thread.
    #[error("cannot start a thread for a decoder")]
    Thread(#[source] io::Error),
}

impl PocketSphinxError {
    /// What the call is told when a speaker cannot be listened to for this reason.
    pub fn lost_reason(&self) -> LostReason {
        match self {
            Self::Busy { .. } => LostReason::Busy,
            Self::LibraryMissing { .. }
            | Self::FunctionMissing { .. }
            | Self::AcousticModelMissing { .. }
            | Self::Scratch { .. }
            | Self::Path
            | Self::Decoder
            | Self::Thread(_) => LostReason::Failed,
        }
    }
}
