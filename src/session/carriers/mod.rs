//! The carriers of this process, each asked in the same words: which document does a call get, which
//! request moves it, what did its media socket say.

mod account;
mod plivo;
mod script;
mod step;
mod twilio;

pub(super) use account::{AudioTime, Introduction, Judged, Said, Unreadable};
pub use account::{CarrierAccount, Carriers};
pub use plivo::PlivoAccount;
pub use script::Script;
pub use step::{NoStep, Step};
pub use twilio::TwilioAccount;
