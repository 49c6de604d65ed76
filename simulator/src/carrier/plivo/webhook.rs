//! Plivo's requests to the server: how they are signed, and its codes for their failures.

use super::account::Account;
use super::signature::sign;
use crate::carrier::callback::{Callback, Method};
use crate::carrier::event::Purpose;
use crate::carrier::outside::{Answer, Prepared, Unanswered, form_encoded};

/// Makes one signed request.
pub(super) async fn request(
    account: &Account,
    callback: &Callback,
    parameters: &[(String, String)],
) -> Result<Answer, Unanswered> {
    // The fragment tunes how Plivo connects and is never sent.
    let url = callback
        .url
        .split_once('#')
        .map_or(callback.url.as_str(), |(url, _)| url);
    let encoded = form_encoded(parameters);
    let (sent, body) = match callback.method {
        Method::Post => (url.to_owned(), encoded),
        Method::Get => {
            let joint = if url.contains('?') { '&' } else { '?' };
            (format!("{url}{joint}{encoded}"), String::new())
        }
    };
    let prepared = Prepared {
        method: callback.method,
        url: sent,
        headers: signatures(account, callback.method, url, parameters),
        body,
    };
    account.outside.send(prepared).await
}

/// The signature headers of a request to `url`.
pub(super) fn signatures(
    account: &Account,
    method: Method,
    url: &str,
    parameters: &[(String, String)],
) -> Vec<(&'static str, String)> {
    let options = &account.options;
    let nonce = account.new_nonce();
    let signature = |token: &str| {
        let valid = sign(token, method, url, parameters, &nonce);
        match &options.outgoing_token {
            Some(outgoing) => {
                let other = sign(outgoing, method, url, parameters, &nonce);
                format!("{other},{valid}")
            }
            None => valid,
        }
    };
    let owner = options.sub_account_token.as_ref();
    let by_owner = signature(owner.unwrap_or(&options.auth_token));
    vec![
        ("x-plivo-signature-v3", by_owner),
        ("x-plivo-signature-ma-v3", signature(&options.auth_token)),
        ("x-plivo-signature-v3-nonce", nonce),
    ]
}

/// Plivo's code for a document that cannot be fetched (first) or read (second).
pub(super) fn codes(purpose: Purpose) -> (u32, u32) {
    match purpose {
        Purpose::Voice | Purpose::Created => (7011, 8011),
        Purpose::Rewrite => (7013, 8013),
        Purpose::Redirect => (7014, 8014),
        // Plivo's codes know actions, and nothing else that is left.
        Purpose::DialAction
        | Purpose::ConnectAction
        | Purpose::GatherAction
        | Purpose::RecordAction
        | Purpose::ConferenceAction
        | Purpose::EnqueueAction
        | Purpose::ReferAction
        | Purpose::Wait
        | Purpose::Whisper
        | Purpose::LegStatus
        | Purpose::StreamStatus
        | Purpose::RecordStatus
        | Purpose::ConferenceStatus
        | Purpose::CallStatus => (7012, 8012),
    }
}
