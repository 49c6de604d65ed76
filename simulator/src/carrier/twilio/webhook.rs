//! Twilio's requests to the server: how they are signed, and its codes for their failures.

use super::signature::sign;
use crate::carrier::callback::{Callback, Method};
use crate::carrier::outside::{Answer, Outside, Prepared, Unanswered, form_encoded};

/// No answer, with Twilio's code for it.
#[derive(Debug)]
pub(super) struct NoAnswer {
    pub(super) code: u32,
    pub(super) reason: String,
}

/// Makes one signed request.
pub(super) async fn request(
    outside: &Outside,
    auth_token: &str,
    callback: &Callback,
    parameters: &[(String, String)],
) -> Result<Answer, NoAnswer> {
    let encoded = form_encoded(parameters);
    let (url, body, signature) = match callback.method {
        Method::Post => {
            let signature = sign(auth_token, &callback.url, parameters);
            (callback.url.clone(), encoded, signature)
        }
        Method::Get => {
            let joint = if callback.url.contains('?') { '&' } else { '?' };
            let url = format!("{}{joint}{encoded}", callback.url);
            let signature = sign(auth_token, &url, &[]);
            (url, String::new(), signature)
        }
    };
    let prepared = Prepared {
        method: callback.method,
        url,
        headers: vec![
            ("User-Agent", "TwilioProxy/1.1".to_owned()),
            ("X-Twilio-Signature", signature),
        ],
        body,
    };
    outside.send(prepared).await.map_err(|failure| {
        let (code, reason) = match failure {
            Unanswered::Malformed(reason) => (11100, reason),
            Unanswered::Unreachable(reason) => (11205, reason),
            Unanswered::Broken(reason) => (11200, reason),
        };
        NoAnswer { code, reason }
    })
}
