//! Live calls: one task drives one call, the registry knows them all.
//!
//! `driver` is the loop and owns everything of its call, `streaming` is its part about media; `line`
//! is the media socket, `carriers` what differs between carriers, `hearing` the path from its frames to
//! the recognizers, `perform` turns commands into requests, `briefing` the call's context into what its
//! documents may tell, `ledger` brings what happened into the journal. Nothing is shared between
//! calls but the `registry` and the immutable `surroundings`.

mod briefing;
mod carriers;
mod driver;
mod hearing;
mod ledger;
mod line;
mod low_water;
mod perform;
mod registry;
mod streaming;
mod surroundings;
mod token;

pub use briefing::{Briefing, Knowledge};
pub use carriers::{CarrierAccount, Carriers, NoStep, PlivoAccount, Script, Step, TwilioAccount};
pub use driver::Inbox;
pub use line::MediaSocket;
pub use low_water::LowWater;
pub use registry::{Admission, Attachment, Registry};
pub use surroundings::Surroundings;
pub use token::Tokens;
