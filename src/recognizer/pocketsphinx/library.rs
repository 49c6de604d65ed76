//! `libpocketsphinx.so.3`, loaded at run time, as safe types.
//!
//! The C interface is that of PocketSphinx 5prealpha as Debian 12 packages it
//! (`libpocketsphinx3` 0.8+5prealpha+1-15; headers `pocketsphinx/pocketsphinx.h`,
//! `sphinxbase/cmd_ln.h`, `sphinxbase/err.h`, read 2026-11-21).
#![expect(unsafe_code, reason = "the library is C and found at run time")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::error::PocketSphinxError;
use super::model::ModelFiles;

const SPHINXBASE: &str = "libsphinxbase.so.3";
const POCKETSPHINX: &str = "libpocketsphinx.so.3";

type InitConfig = unsafe extern "C" fn(*mut c_void, *const c_void, i32, ...) -> *mut c_void;
type FreeConfig = unsafe extern "C" fn(*mut c_void) -> c_int;
type SetLogFile = unsafe extern "C" fn(*mut c_void);
type Definitions = unsafe extern "C" fn() -> *const c_void;
type InitDecoder = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type OfDecoder = unsafe extern "C" fn(*mut c_void) -> c_int;
type ProcessRaw = unsafe extern "C" fn(*mut c_void, *const i16, usize, c_int, c_int) -> c_int;
type Words = unsafe extern "C" fn(*mut c_void, *mut i32) -> *const c_char;

/// The functions of the library. They stay valid because the libraries are kept beside them.
pub(super) struct Library {
    init_config: InitConfig,
    free_config: FreeConfig,
    set_log_file: SetLogFile,
    definitions: Definitions,
    init_decoder: InitDecoder,
    free_decoder: OfDecoder,
    start_utterance: OfDecoder,
    end_utterance: OfDecoder,
    process_raw: ProcessRaw,
    words: Words,
    _pocketsphinx: libloading::Library,
    _sphinxbase: libloading::Library,
}

impl Library {
    /// Finds the library and all functions that are used of it.
    pub(super) fn load() -> Result<Self, PocketSphinxError> {
        let sphinxbase = open(SPHINXBASE)?;
        let pocketsphinx = open(POCKETSPHINX)?;
        // SAFETY: each type is the C declaration of the function of that name, see the headers in
        // the module's documentation.
        unsafe {
            Ok(Self {
                init_config: function(&sphinxbase, SPHINXBASE, "cmd_ln_init")?,
                free_config: function(&sphinxbase, SPHINXBASE, "cmd_ln_free_r")?,
                set_log_file: function(&sphinxbase, SPHINXBASE, "err_set_logfp")?,
                definitions: function(&pocketsphinx, POCKETSPHINX, "ps_args")?,
                init_decoder: function(&pocketsphinx, POCKETSPHINX, "ps_init")?,
                free_decoder: function(&pocketsphinx, POCKETSPHINX, "ps_free")?,
                start_utterance: function(&pocketsphinx, POCKETSPHINX, "ps_start_utt")?,
                end_utterance: function(&pocketsphinx, POCKETSPHINX, "ps_end_utt")?,
                process_raw: function(&pocketsphinx, POCKETSPHINX, "ps_process_raw")?,
                words: function(&pocketsphinx, POCKETSPHINX, "ps_get_hyp")?,
                _pocketsphinx: pocketsphinx,
                _sphinxbase: sphinxbase,
            })
        }
    }
}

fn open(library: &'static str) -> Result<libloading::Library, PocketSphinxError> {
    // SAFETY: neither library runs code of its own when it is loaded or unloaded.
    unsafe { libloading::Library::new(library) }
        .map_err(|source| PocketSphinxError::LibraryMissing { library, source })
}

/// Looks up one function.
///
/// # Safety
///
/// `F` must be the type of the function of that name.
unsafe fn function<F: Copy>(
    from: &libloading::Library,
    library: &'static str,
    function: &'static str,
) -> Result<F, PocketSphinxError> {
    // SAFETY: the caller vouches for the type.
    unsafe { from.get::<F>(function) }
        .map(|symbol| *symbol)
        .map_err(|source| PocketSphinxError::FunctionMissing {
            library,
            function,
            source,
        })
}

/// One decoder: the models in memory and the utterance that is being heard.
///
/// It is neither `Send` nor `Sync`: the library keeps where it logs to per thread, so a decoder
/// stays on the thread that made it.
pub(super) struct Decoder {
    library: Arc<Library>,
    decoder: NonNull<c_void>,
    hearing: bool,
}

impl Decoder {
    /// Loads the models, which takes some 20 ms, and silences the library on this thread.
    pub(super) fn new(
        library: &Arc<Library>,
        models: &ModelFiles,
    ) -> Result<Self, PocketSphinxError> {
        let acoustic = c_path(&models.acoustic)?;
        let language = c_path(&models.language)?;
        let dictionary = c_path(&models.dictionary)?;
        let features = c_path(&models.features)?;
        // SAFETY: a null log file means that nothing is logged (sphinxbase/err.h).
        unsafe { (library.set_log_file)(ptr::null_mut()) };
        // SAFETY: the definitions are static. The arguments after `strict` are pairs of C strings
        // that outlive the call, which copies them, and end with a null pointer.
        let config = unsafe {
            (library.init_config)(
                ptr::null_mut(),
                (library.definitions)(),
                1,
                c"-hmm".as_ptr(),
                acoustic.as_ptr(),
                c"-lm".as_ptr(),
                language.as_ptr(),
                c"-dict".as_ptr(),
                dictionary.as_ptr(),
                c"-featparams".as_ptr(),
                features.as_ptr(),
                // The weight of the language model, measured (`assets/pocketsphinx/README.md`).
                c"-lw".as_ptr(),
                c"9".as_ptr(),
                // One pass: the second and third would begin only when the speaker has stopped.
                c"-fwdflat".as_ptr(),
                c"no".as_ptr(),
                c"-bestpath".as_ptr(),
                c"no".as_ptr(),
                // Silence is found before the samples come here.
                c"-remove_silence".as_ptr(),
                c"no".as_ptr(),
                ptr::null::<c_char>(),
            )
        };
        if config.is_null() {
            return Err(PocketSphinxError::Decoder);
        }
        // SAFETY: the configuration is valid; the decoder takes its own reference to it.
        let decoder = unsafe { (library.init_decoder)(config) };
        // SAFETY: this reference to the configuration is not used again.
        unsafe { (library.free_config)(config) };
        let decoder = NonNull::new(decoder).ok_or(PocketSphinxError::Decoder)?;
        Ok(Self {
            library: Arc::clone(library),
            decoder,
            hearing: false,
        })
    }

    /// Begins an utterance. What was heard of one that did not end is forgotten.
    pub(super) fn begin(&mut self) -> Result<(), PocketSphinxError> {
        self.end()?;
        // SAFETY: the decoder is valid and in no utterance.
        let status = unsafe { (self.library.start_utterance)(self.decoder.as_ptr()) };
        self.hearing = true;
        succeeded(status)
    }

    /// Hears samples at 16 kHz. Outside of an utterance they are ignored.
    pub(super) fn hear(&mut self, samples: &[i16]) -> Result<(), PocketSphinxError> {
        if !self.hearing {
            return Ok(());
        }
        // SAFETY: the decoder is valid and in an utterance; the library reads exactly
        // `samples.len()` samples and keeps no pointer to them.
        let status = unsafe {
            (self.library.process_raw)(self.decoder.as_ptr(), samples.as_ptr(), samples.len(), 0, 0)
        };
        succeeded(status)
    }

    /// Ends the utterance, if there is one. Its words can be read until the next begins.
    pub(super) fn end(&mut self) -> Result<(), PocketSphinxError> {
        if !self.hearing {
            return Ok(());
        }
        self.hearing = false;
        // SAFETY: the decoder is valid and in an utterance.
        succeeded(unsafe { (self.library.end_utterance)(self.decoder.as_ptr()) })
    }

    /// Reads the words of the current or the last utterance, empty if there are none.
    pub(super) fn words(&self) -> String {
        // SAFETY: the decoder is valid; the score may be null.
        let words = unsafe { (self.library.words)(self.decoder.as_ptr(), ptr::null_mut()) };
        if words.is_null() {
            return String::new();
        }
        // SAFETY: a C string that the decoder keeps until it is asked again; it is copied at once.
        unsafe { CStr::from_ptr(words) }
            .to_string_lossy()
            .into_owned()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the decoder is valid and not used again.
        unsafe { (self.library.free_decoder)(self.decoder.as_ptr()) };
    }
}

fn succeeded(status: c_int) -> Result<(), PocketSphinxError> {
    if status < 0 {
        Err(PocketSphinxError::Decoder)
    } else {
        Ok(())
    }
}

fn c_path(path: &Path) -> Result<CString, PocketSphinxError> {
    CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| PocketSphinxError::Path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_library_names_the_packages() {
        let error = open("libhandoff-absent.so.3").err().unwrap();
        assert!(
            error
                .to_string()
                .contains("apt-get install -y libpocketsphinx3 pocketsphinx-en-us"),
            "{error}"
        );
    }
}
