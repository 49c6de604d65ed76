//! The ways to reach a human, parsed where the configuration is read.
//!
//! - [`Reach`]: all of them, and which carrier has which.
//! - [`Keys`], [`QueueName`], [`ClientIdentity`], [`ParameterName`]: what some are named by.
//! - [`SipTarget`] and its parts: SIP addresses, and what rides along in headers.

mod names;
mod possible;
mod reach;
mod sip;

pub use names::{ClientIdentity, Keys, NameError, ParameterName, QueueName};
pub use possible::Impossible;
pub use reach::Reach;
pub use sip::{
    HeaderName, SipCredentials, SipError, SipTarget, SipUri, StandardHeader, UserToUser,
    UserToUserEncoding,
};
