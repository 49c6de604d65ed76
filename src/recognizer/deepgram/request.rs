//! The request that opens a live transcription, as Deepgram's AsyncAPI document and its pages
//! `encoding`, `endpointing`, `utterance-end`, `smart-format` and `keyterm` describe it (read
//! 2026-11-21).

use handoff_core::pii::Secret;
use http::header::{HeaderValue, InvalidHeaderValue};
use http::uri::{InvalidUri, Uri};
use thiserror::Error;

use super::options::{DeepgramOptions, Leg};

/// Deepgram's limit for all keyterms together; above it the handshake fails (page `keyterm`).
const KEYTERM_TOKENS: usize = 500;

/// A request that can be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectRequest {
    /// Where to, with the whole query.
    pub uri: Uri,
    /// `Authorization`, marked sensitive.
    pub authorization: HeaderValue,
    /// How many keyterms were left out: over the budget, or unknown to the model.
    pub keyterms_dropped: usize,
}

/// Why options do not make a request. All are mistakes in the configuration.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The base URL is not one.
    #[error("base_url is not a URL")]
    BaseUrl(#[source] InvalidUri),
    /// The base URL has another scheme than `http`, `https`, `ws` or `wss`, or no host.
    #[error("base_url must begin with http://, https://, ws:// or wss:// and name a host")]
    Scheme,
    /// The base URL carries more than a host and a path.
    #[error("base_url must have no query, user or password")]
    Excess,
    /// The key has characters that no header can carry.
    #[error("api_key has characters that a header cannot carry")]
    ApiKey(#[source] InvalidHeaderValue),
}

impl ConnectRequest {
    /// Builds the request for one speaker.
    ///
    /// # Errors
    /// The options are wrong; trying again changes nothing.
    pub fn new(options: &DeepgramOptions, leg: &Leg) -> Result<Self, RequestError> {
        let mut url = endpoint(&options.base_url)?;
        let number = |name: &str, value: u32| format!("&{name}={value}");
        url.push_str("?model=");
        encode_into(&mut url, &options.model);
        url.push_str("&language=");
        encode_into(&mut url, &options.language);
        url.push_str("&encoding=mulaw&sample_rate=8000&channels=1&interim_results=true");
        url.push_str(&number("endpointing", options.endpointing_ms));
        url.push_str(&number("utterance_end_ms", options.utterance_end_ms));
        url.push_str("&vad_events=true&smart_format=true&numerals=true");
        if options.mip_opt_out {
            url.push_str("&mip_opt_out=true");
        }
        url.push_str("&tag=handoff&extra=call:");
        encode_into(&mut url, &leg.carrier_call.0);
        url.push_str("&extra=speaker:");
        url.push_str(leg.speaker.as_str());

        let kept = affordable(&options.model, &options.keyterms);
        for keyterm in kept {
            url.push_str("&keyterm=");
            encode_into(&mut url, keyterm.trim());
        }
        Ok(Self {
            uri: url.parse().map_err(RequestError::BaseUrl)?,
            authorization: authorization(&options.api_key)?,
            keyterms_dropped: options.keyterms.len() - kept.len(),
        })
    }
}

fn authorization(api_key: &Secret) -> Result<HeaderValue, RequestError> {
    let mut value = HeaderValue::from_str(&format!("Token {}", api_key.expose()))
        .map_err(RequestError::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

fn endpoint(base_url: &str) -> Result<String, RequestError> {
    let base: Uri = base_url.parse().map_err(RequestError::BaseUrl)?;
    let scheme = match base.scheme_str() {
        Some("http" | "ws") => "http",
        Some("https" | "wss") => "https",
        Some(_) | None => return Err(RequestError::Scheme),
    };
    let authority = base.authority().ok_or(RequestError::Scheme)?.as_str();
    if base.query().is_some() || authority.contains('@') {
        return Err(RequestError::Excess);
    }
    let prefix = base.path().trim_end_matches('/');
    Ok(format!("{scheme}://{authority}{prefix}/v1/listen"))
}

/// The leading keyterms that fit. Other models than the third Nova generation refuse them.
fn affordable<'a>(model: &str, keyterms: &'a [String]) -> &'a [String] {
    if !model.starts_with("nova-3") {
        return &[];
    }
    let mut left = KEYTERM_TOKENS;
    let fit = keyterms.iter().take_while(|keyterm| {
        let remaining = left.checked_sub(tokens(keyterm));
        left = remaining.unwrap_or(0);
        remaining.is_some()
    });
    &keyterms[..fit.count()]
}

/// Counts more tokens than Deepgram is likely to: its tokenizer is not public. English has about
/// four letters a token, names fewer; two are assumed, and one for every byte that is no letter.
fn tokens(keyterm: &str) -> usize {
    let letters = keyterm.bytes().filter(u8::is_ascii_alphabetic).count();
    letters.div_ceil(2) + (keyterm.len() - letters)
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
fn encode_into(url: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{caller_leg, options};
    use super::*;

    fn uri(base_url: &str) -> Result<String, RequestError> {
        let request = ConnectRequest::new(&options(base_url), &caller_leg())?;
        Ok(request.uri.to_string())
    }

    #[test]
    fn the_query_is_the_recommended_one() {
        let mut options = options("https://api.deepgram.com");
        options.keyterms = vec![
            "refund".into(),
            "cancel my account".into(),
            "Zürich & Söhne".into(),
        ];
        let request = ConnectRequest::new(&options, &caller_leg()).unwrap();
        assert_eq!(
            request.uri.to_string(),
            "https://api.deepgram.com/v1/listen?model=nova-3&language=en-US&encoding=mulaw\
             &sample_rate=8000&channels=1&interim_results=true&endpointing=300\
             &utterance_end_ms=1000&vad_events=true&smart_format=true&numerals=true\
             &mip_opt_out=true&tag=handoff&extra=call:CA02&extra=speaker:caller\
             &keyterm=refund&keyterm=cancel%20my%20account&keyterm=Z%C3%BCrich%20%26%20S%C3%B6hne"
        );
        assert_eq!(request.keyterms_dropped, 0);
        assert_eq!(request.authorization, "Token test-key");
        assert!(request.authorization.is_sensitive());
    }

    #[test]
    fn base_urls_keep_host_port_and_prefix() {
        for (base, begins) in [
            ("http://127.0.0.1:9123", "http://127.0.0.1:9123/v1/listen?"),
            ("http://127.0.0.1:9123/", "http://127.0.0.1:9123/v1/listen?"),
            (
                "https://gateway.example/deepgram/",
                "https://gateway.example/deepgram/v1/listen?",
            ),
            ("ws://[::1]:80/a/b", "http://[::1]:80/a/b/v1/listen?"),
            (
                "wss://api.eu.deepgram.com",
                "https://api.eu.deepgram.com/v1/listen?",
            ),
        ] {
            let uri = uri(base).unwrap();
            assert!(uri.starts_with(begins), "{base} became {uri}");
        }
    }

    #[test]
    fn bad_base_urls_and_keys_are_typed() {
        assert!(matches!(uri("not a url"), Err(RequestError::BaseUrl(_))));
        assert!(matches!(
            uri("ftp://deepgram.example"),
            Err(RequestError::Scheme)
        ));
        assert!(matches!(uri("api.deepgram.com"), Err(RequestError::Scheme)));
        assert!(matches!(
            uri("https://host/?tier=1"),
            Err(RequestError::Excess)
        ));
        assert!(matches!(
            uri("https://user:word@host/"),
            Err(RequestError::Excess)
        ));

        let mut options = options("https://api.deepgram.com");
        options.api_key = Secret::new("two\nlines");
        let error = ConnectRequest::new(&options, &caller_leg()).unwrap_err();
        assert!(matches!(error, RequestError::ApiKey(_)));
        assert!(!format!("{error} {error:?}").contains("two"));
    }

    #[test]
    fn keyterms_beyond_the_budget_are_left_out_from_the_end() {
        let mut options = options("https://api.deepgram.com");
        options.keyterms = vec!["aaaaaaaaaa".to_owned(); 101];
        let request = ConnectRequest::new(&options, &caller_leg()).unwrap();
        assert_eq!(
            request.uri.query().unwrap().matches("keyterm=").count(),
            100
        );
        assert_eq!(request.keyterms_dropped, 1);
    }

    #[test]
    fn older_models_get_no_keyterms() {
        let mut options = options("https://api.deepgram.com");
        options.model = "nova-2-phonecall".to_owned();
        options.keyterms = vec!["refund".to_owned()];
        let request = ConnectRequest::new(&options, &caller_leg()).unwrap();
        assert!(!request.uri.query().unwrap().contains("keyterm"));
        assert_eq!(request.keyterms_dropped, 1);
    }
}
