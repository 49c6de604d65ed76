//! What an operator chooses about the Zendesk sink.

use handoff_core::pii::Secret;

use crate::delivery::sink::endpoint::BaseUrl;

/// The Zendesk account and what a ticket looks like.
#[derive(Clone, Debug)]
pub struct ZendeskOptions {
    /// `https://{subdomain}.zendesk.com`.
    pub base: BaseUrl,
    /// How requests prove who they are.
    pub credentials: ZendeskCredentials,
    /// Whose ticket it is.
    pub requester: Requester,
    /// Which priority it gets: the first step that applies, else `otherwise`.
    pub priority: PriorityRule,
    /// Tags of every ticket. `reason_…` and, where it applies, `approximate_transcript` are added.
    pub tags: Vec<String>,
    /// Custom ticket fields to fill.
    pub custom_fields: Vec<CustomField>,
    /// Sizes that requests keep to.
    pub limits: ZendeskLimits,
}

/// How requests prove who they are.
///
/// API tokens stop working on 2027-04-30 and cannot be made any more since 2026-10-27
/// (developer.zendesk.com, oauth-migration, read 2026-11-21), so OAuth is the form to use.
#[derive(Clone, Debug)]
pub enum ZendeskCredentials {
    /// A confidential OAuth client with the `client_credentials` grant.
    OAuth {
        /// The client's unique identifier.
        client_id: String,
        /// The client's secret.
        client_secret: Secret,
        /// Space-separated scopes. `read write` is enough; a narrower
        /// `tickets:read tickets:write` may not cover uploads (UNCONFIRMED).
        scope: String,
    },
    /// `{email}/token:{token}` as Basic, the legacy form.
    ApiToken {
        /// The e-mail address of the integration's user.
        email: String,
        /// The API token.
        token: Secret,
    },
}

/// Whose ticket it is. Without a requester a ticket would belong to the integration's own user,
/// which is wrong for calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requester {
    /// One end user stands for everybody who phones. Certain to work; the caller is named in the
    /// subject and the note.
    Fixed {
        /// The end user's name, for example `Phone callers`.
        name: String,
        /// The end user's e-mail address, a mailbox of the company.
        email: String,
    },
    /// The caller is the requester: Zendesk makes an end user of the name (and the e-mail address
    /// where the call has one).
    ///
    /// That Zendesk takes a requester without e-mail address is UNCONFIRMED; where it does not, it
    /// answers 422 and the delivery is given up with that reason. Callers are not looked up by
    /// phone number, so that one without e-mail address becomes a new end user every time.
    Caller {
        /// The call parameter that holds the caller's name, else `Caller +1…` is used.
        name_parameter: Option<String>,
        /// The call parameter that holds the caller's e-mail address. A value that is not
        /// shaped like one is ignored.
        email_parameter: Option<String>,
    },
}

/// Priorities of a ticket, by Zendesk's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// `urgent`
    Urgent,
    /// `high`
    High,
    /// `normal`
    Normal,
    /// `low`
    Low,
}

impl Priority {
    /// Zendesk's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// How a ticket gets its priority.
#[derive(Clone, Debug, PartialEq)]
pub struct PriorityRule {
    /// Tried in order.
    pub steps: Vec<PriorityStep>,
    /// Where no step applies.
    pub otherwise: Priority,
}

/// A condition and the priority that follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct PriorityStep {
    /// The condition.
    pub when: PriorityWhen,
    /// What follows.
    pub priority: Priority,
}

/// A condition on the context.
#[derive(Clone, Debug, PartialEq)]
pub enum PriorityWhen {
    /// The caller's smoothed sentiment is known and below this, -1..=1.
    SentimentBelow(f32),
    /// The rule of this name decided the handoff. A topic has a rule of its own.
    Rule(String),
}

/// A custom ticket field and what goes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// The field's number in the account (`GET /api/v2/ticket_fields`).
    pub id: u64,
    /// What goes into it. A value that the call does not have leaves the field alone.
    pub value: FieldValue,
}

/// Something about the call that fits into a custom field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// `handoff_id`
    HandoffId,
    /// `call_id`
    CallId,
    /// `carrier_call_id`: what the carrier's console finds the call by.
    CarrierCallId,
    /// `caller`
    Caller,
    /// `called`
    Called,
    /// `sentiment`: -1.00 to 1.00.
    Sentiment,
    /// `reason`: the rule's name, or what the API request gave.
    Reason,
    /// `digits`: the keys pressed.
    Digits,
    /// `summary`
    Summary,
    /// `disposition`: only known, and only written, once the call has ended.
    Disposition,
    /// `parameter:{name}`: what came with the call under this name.
    Parameter(String),
}

impl FieldValue {
    /// Reads the name that the configuration uses, as each variant's documentation gives it.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "handoff_id" => Self::HandoffId,
            "call_id" => Self::CallId,
            "carrier_call_id" => Self::CarrierCallId,
            "caller" => Self::Caller,
            "called" => Self::Called,
            "sentiment" => Self::Sentiment,
            "reason" => Self::Reason,
            "digits" => Self::Digits,
            "summary" => Self::Summary,
            "disposition" => Self::Disposition,
            other => match other.strip_prefix("parameter:") {
                Some(parameter) if !parameter.is_empty() => Self::Parameter(parameter.to_owned()),
                Some(_) | None => return None,
            },
        })
    }
}

/// Sizes that requests keep to. Vendors change theirs, so these are settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZendeskLimits {
    /// Bytes of a note's HTML. Zendesk staff name about 65,000 characters and call it dependent on
    /// the encoding; counting bytes keeps within it in every encoding.
    pub comment_bytes: usize,
    /// Characters of a subject.
    pub subject_characters: usize,
    /// Bytes of an attached transcript, whose beginning is cut off beyond that. 50 MB is commonly
    /// cited as the vendor's limit (UNCONFIRMED).
    pub attachment_bytes: usize,
}

impl ZendeskLimits {
    /// What the reference gives for Zendesk, with distance kept.
    pub const VENDOR: Self = Self {
        comment_bytes: 65_000,
        subject_characters: 150,
        attachment_bytes: 20_000_000,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_values_are_read_by_name() {
        assert_eq!(FieldValue::parse("sentiment"), Some(FieldValue::Sentiment));
        assert_eq!(
            FieldValue::parse("parameter:tier"),
            Some(FieldValue::Parameter("tier".to_owned()))
        );
        assert_eq!(FieldValue::parse("parameter:"), None);
        assert_eq!(FieldValue::parse("Sentiment"), None);
    }
}
