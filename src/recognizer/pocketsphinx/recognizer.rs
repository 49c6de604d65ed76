//! The embedded recognizer of the whole process.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use handoff_core::speech::Speaker;
use tokio::sync::{Semaphore, mpsc};

use super::error::PocketSphinxError;
use super::library::{Decoder, Library};
use super::listener;
use super::model::ModelFiles;
use crate::recognizer::{Feedings, Heard};

/// What a deployment may choose about the embedded recognizer.
#[derive(Clone, Debug)]
pub struct PocketSphinxOptions {
    /// The folder of the acoustic model, [`ACOUSTIC_MODEL`](super::ACOUSTIC_MODEL) on Debian.
    pub acoustic_model: PathBuf,
    /// The folder that the embedded language model is written to; made if it does not exist.
    pub scratch: PathBuf,
    /// How many speakers may be listened to at once; 16. Each takes a thread, memory and CPU as
    /// `assets/pocketsphinx/README.md` measures them.
    pub max_decoders: usize,
}

/// The loaded library and models, shared by all calls. Cheap to clone.
#[derive(Clone)]
pub struct PocketSphinx {
    library: Arc<Library>,
    models: Arc<ModelFiles>,
    decoders: Arc<Semaphore>,
    max_decoders: usize,
}

impl PocketSphinx {
    /// Loads the library, writes the models and makes one decoder of them, so that what does not
    /// work fails at the start and not in the middle of a call. Blocks for some 50 ms.
    ///
    /// # Errors
    ///
    /// Every [`PocketSphinxError`] but `Busy` and `Thread`. The caller goes on without this
    /// recognizer and shows the message, which names the packages to install.
    pub fn load(options: PocketSphinxOptions) -> Result<Self, PocketSphinxError> {
        let library = Arc::new(Library::load()?);
        let models = ModelFiles::write(&options.acoustic_model, &options.scratch)?;
        Decoder::new(&library, &models)?;
        Ok(Self {
            library,
            models: Arc::new(models),
            decoders: Arc::new(Semaphore::new(options.max_decoders)),
            max_decoders: options.max_decoders,
        })
    }

    /// Listens to one speaker until `feed` is dropped or nobody reads `heard`, on a thread of its
    /// own. What was begun when the feed is dropped is told as final.
    ///
    /// # Errors
    ///
    /// [`PocketSphinxError::Busy`] if all decoders are in use and [`PocketSphinxError::Thread`]:
    /// the call goes on without words of this speaker. A failure later is told as
    /// [`Heard::Lost`].
    pub fn start(
        &self,
        speaker: Speaker,
        feed: Feedings,
        heard: mpsc::Sender<Heard>,
    ) -> Result<(), PocketSphinxError> {
        let limit = self.max_decoders;
        let permit = Arc::clone(&self.decoders)
            .try_acquire_owned()
            .map_err(|_| PocketSphinxError::Busy { limit })?;
        let (library, models) = (Arc::clone(&self.library), Arc::clone(&self.models));
        thread::Builder::new()
            .name("pocketsphinx".to_owned())
            .spawn(move || {
                listener::listen(&library, &models, speaker, feed, &heard);
                drop(permit);
            })
            .map_err(PocketSphinxError::Thread)?;
        Ok(())
    }
}
