//! What a carrier posted, taken only once its signature was found to hold.
//!
//! Nothing of a request is looked at before that, not even whether its path makes sense: who cannot
//! sign learns nothing about calls, handoffs or what we can read. What cannot be read of a signed
//! request is the route's to answer, because sometimes a caller waits for the answer.
//!
//! A carrier with another scheme gets another `authenticate`; routes and [`Posted`] stay.

use std::sync::Arc;

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, MatchedPath, RawPathParams, Request};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use handoff_core::id::HandoffId;

use super::front::{Front, TwilioDoor};
use crate::carrier::twilio::signature::{SIGNATURE_HEADER, SignatureError};
use crate::carrier::twilio::webhook::{
    CallStatus, DialOutcome, LegStatus, StreamStatus, VoiceRequest, WebhookError, parse_form,
};
use crate::session::CarrierAccount;

/// A message that comes as the parameters of a form.
pub(super) trait Posted: Sized {
    /// Reads it.
    fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError>;
}

/// A request that the carrier signed and that speaks of our account.
pub(super) struct Signed<T> {
    /// Our account at the carrier.
    pub(super) account: CarrierAccount,
    /// What it says, or why that cannot be read.
    pub(super) said: Result<T, WebhookError>,
    /// What its path speaks of.
    pub(super) attempt: Result<Attempt, NoAttempt>,
}

/// One attempt of a handoff, as our URLs name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) handoff: HandoffId,
    pub(super) number: u32,
}

/// The path is of a route without an attempt, or we have not written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("path names no attempt of a handoff")]
pub(super) struct NoAttempt;

impl<T: Posted> FromRequest<Front> for Signed<T> {
    type Rejection = Response;

    async fn from_request(mut request: Request, front: &Front) -> Result<Self, Response> {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let route = matched.as_ref().map_or("unknown", MatchedPath::as_str);
        let headers = std::mem::take(request.headers_mut());
        let Some(door) = &front.twilio else {
            return Err(StatusCode::NOT_FOUND.into_response());
        };
        // Nobody's body is read who does not even claim to be the carrier.
        if !headers.contains_key(SIGNATURE_HEADER) {
            return Err(Front::unsigned(SignatureError::Missing, route));
        }
        let attempt = Attempt::read(&mut request).await;
        let uri = request.uri().clone();
        let body = Bytes::from_request(request, front)
            .await
            .map_err(|refusal| refusal.into_response())?;
        let parameters = parse_form(&body);
        authenticate(door, &uri, &headers, &parameters, route)?;
        Ok(Self {
            account: CarrierAccount::Twilio(Arc::clone(&door.account)),
            said: T::parse(&parameters),
            attempt,
        })
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the error is the answer, made once"
)]
fn authenticate(
    door: &TwilioDoor,
    uri: &Uri,
    headers: &HeaderMap,
    parameters: &[(String, String)],
    route: &str,
) -> Result<(), Response> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    (door.verifier.verify_form(target, parameters, headers))
        .map_err(|error| Front::unsigned(error, route))?;
    let account = parameters.iter().find(|(name, _)| name == "AccountSid");
    if account.is_some_and(|(_, sid)| sid != door.account.rest.account_sid().as_str()) {
        return Err(Front::another_account(route));
    }
    Ok(())
}

impl Attempt {
    async fn read(request: &mut Request) -> Result<Self, NoAttempt> {
        let path: RawPathParams = request.extract_parts().await.map_err(|_| NoAttempt)?;
        let value = |wanted| {
            let mut named = path.iter().filter(|(name, _)| *name == wanted);
            named.next().map(|(_, value)| value).ok_or(NoAttempt)
        };
        Ok(Self {
            handoff: HandoffId::parse(value("handoff")?).ok_or(NoAttempt)?,
            number: value("attempt")?.parse().map_err(|_| NoAttempt)?,
        })
    }
}

impl Posted for VoiceRequest {
    fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Self::parse(parameters)
    }
}

impl Posted for DialOutcome {
    fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Self::parse(parameters)
    }
}

impl Posted for LegStatus {
    fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Self::parse(parameters)
    }
}

impl Posted for CallStatus {
    fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Self::parse(parameters)
    }
}

impl Posted for StreamStatus {
    fn parse(parameters: &[(String, String)]) -> Result<Self, WebhookError> {
        Self::parse(parameters)
    }
}
