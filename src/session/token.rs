//! Stream tokens: what proves that a media socket belongs to a call that we answered.
//!
//! A token is derived from the call's name at the carrier and a key of this installation, so that
//! a repeated webhook is answered identically, also after a restart, and nothing has to be stored
//! before the answer goes out. It is spent once its stream is over for good: the call's task, not the
//! token, knows that.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Mints the token of any call.
#[derive(Debug)]
pub struct Tokens {
    key: Secret,
}

const KEY_FILE: &str = "stream.key";

impl Tokens {
    /// Reads the key of this installation, making one at the first start.
    ///
    /// # Errors
    /// The data directory cannot be written or read.
    pub fn open(data_dir: &Path) -> std::io::Result<Self> {
        let path = data_dir.join(KEY_FILE);
        match std::fs::read_to_string(&path) {
            Ok(key) if key.len() >= 43 => Ok(Self {
                key: Secret::new(key),
            }),
            // A start that died while writing left a part; nothing was ever given out under it.
            Ok(_) => Self::create(&path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(&path),
            Err(error) => Err(error),
        }
    }

    fn create(path: &Path) -> std::io::Result<Self> {
        let mut random = [0u8; 32];
        getrandom::fill(&mut random).map_err(std::io::Error::other)?;
        let key = URL_SAFE_NO_PAD.encode(random);
        let mut file = private_file(path)?;
        file.write_all(key.as_bytes())?;
        file.sync_all()?;
        Ok(Self {
            key: Secret::new(key),
        })
    }

    /// The token of a call: 160 bits in letters and digits, which is all that Plivo's extra headers
    /// take.
    pub fn mint(&self, call: &CarrierCallId) -> Secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(b"media stream of ");
        mac.update(call.0.as_bytes());
        let proof = mac.finalize().into_bytes();
        Secret::new(
            proof[..20]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        )
    }
}

/// Opens a new file that only its owner can read.
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
