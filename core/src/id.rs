//! Names of things: ours are minted from given randomness, the carrier's are carried as they came.

use std::fmt;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Renders 128 bits as 26 sortable characters (the layout of ULID: 48 bits of time, 80 random).
fn ulid(wall: crate::time::WallTime, random: [u8; 10]) -> String {
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&wall.0.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    let value = u128::from_be_bytes(bytes);
    (0..26)
        .rev()
        .map(|digit| char::from(CROCKFORD[(value >> (digit * 5)) as usize & 31]))
        .collect()
}

macro_rules! minted_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Mints an id from the given time and randomness.
            pub fn mint(wall: crate::time::WallTime, random: [u8; 10]) -> Self {
                Self(format!(concat!($prefix, "_{}"), ulid(wall, random)))
            }

            /// Accepts an id that was minted before (from the journal or a URL), or `None` if it
            /// does not have the shape of one.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix(concat!($prefix, "_"))?;
                let shaped = digits.len() == 26 && digits.bytes().all(|b| CROCKFORD.contains(&b));
                shaped.then(|| Self(text.to_owned()))
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Who carries the call between the caller's telephone and us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// Twilio.
    Twilio,
    /// Plivo.
    Plivo,
}

impl Carrier {
    /// The word for the carrier in routes, logs and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Plivo => "plivo",
        }
    }
}

minted_id!(
    /// One caller's conversation, from accept to disposition.
    CallId,
    "call"
);
minted_id!(
    /// One move of a call to a human. Every repeat of its effects carries the same id.
    HandoffId,
    "ho"
);

/// Characters of a call's id that its handoffs share.
const STEM: usize = 24;

impl CallId {
    /// What the ids of the call and of its handoffs have in common.
    pub fn stem(&self) -> &str {
        let digits = self.0.trim_start_matches("call_");
        &digits[..STEM]
    }
}

impl HandoffId {
    /// What the id has in common with that of its call.
    pub fn stem(&self) -> &str {
        let digits = self.0.trim_start_matches("ho_");
        &digits[..STEM]
    }

    /// The id of a call's `n`th handoff, from 0. Derived, so that a repeat cannot mint another.
    pub fn nth(call: &CallId, n: u32) -> Self {
        let ordinal =
            [(n as usize / 32) & 31, n as usize & 31].map(|digit| char::from(CROCKFORD[digit]));
        Self(format!("ho_{}{}", call.stem(), String::from_iter(ordinal)))
    }
}

/// The carrier's name for a call (Twilio `CallSid`, Plivo `CallUUID`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CarrierCallId(pub String);

/// The carrier's name for a stream (Twilio `streamSid`, Plivo `streamId`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::WallTime;

    #[test]
    fn ids_sort_by_time_and_parse_back() {
        let earlier = HandoffId::mint(WallTime(1_767_225_600_000), [0xff; 10]);
        let later = HandoffId::mint(WallTime(1_767_225_600_001), [0; 10]);
        assert!(earlier < later);
        assert_eq!(HandoffId::parse(earlier.as_str()), Some(earlier));
        assert_eq!(HandoffId::parse("call_00000000000000000000000000"), None);
        assert_eq!(HandoffId::parse("ho_short"), None);
    }

    #[test]
    fn handoffs_of_a_call_differ_and_repeat() {
        let call = CallId::mint(WallTime(1_767_225_600_000), [7; 10]);
        assert_eq!(HandoffId::nth(&call, 1), HandoffId::nth(&call, 1));
        assert_ne!(HandoffId::nth(&call, 0), HandoffId::nth(&call, 1));
        assert!(HandoffId::parse(HandoffId::nth(&call, 3).as_str()).is_some());
        assert_eq!(HandoffId::nth(&call, 3).stem(), call.stem());
    }
}
