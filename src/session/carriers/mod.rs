//! The carriers of this process, each asked in the same words: which document does a call get, which
//! request moves it, what did its media socket say.

mod account;
mod twilio;

pub use account::{CarrierAccount, Carriers};
pub(super) use account::{Introduction, Judged, Said};
pub use twilio::{Documents, TwilioAccount};
