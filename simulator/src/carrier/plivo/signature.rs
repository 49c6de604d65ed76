//! Plivo's V3 request signature: base64 of HMAC-SHA256 over the URL, the parameters and a nonce.
//!
//! Source: PyPI `plivo` 4.63.0 (`plivo/utils/signature_v3.py`) and npm `plivo` 4.79.0
//! (`dist/utils/v3Security.js`), read 2026-11-21.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::carrier::callback::Method;
use crate::carrier::outside::form_decoded;

/// Signs a request to `url` with the given parameters, which ride in the body of a POST and in the
/// query of a GET; `url` is without them.
///
/// A WebSocket upgrade is a GET of the stream's URL with `http` as its scheme.
#[must_use]
pub fn sign(
    auth_token: &str,
    method: Method,
    url: &str,
    parameters: &[(String, String)],
    nonce: &str,
) -> String {
    let signed = format!("{}.{nonce}", string_to_sign(method, url, parameters));
    let mut mac = Hmac::<Sha256>::new_from_slice(auth_token.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Everything that is signed but the nonce and its dot.
fn string_to_sign(method: Method, url: &str, parameters: &[(String, String)]) -> String {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let query = form_decoded(query);
    if method == Method::Post && !parameters.is_empty() {
        let body: String = sorted(parameters.to_vec())
            .iter()
            .map(|(name, value)| format!("{name}{value}"))
            .collect();
        let query = joined(query);
        let dot = if query.is_empty() { "" } else { "." };
        return format!("{base}?{query}{dot}{body}");
    }
    let all = query.into_iter().chain(parameters.iter().cloned());
    let query = joined(all.collect());
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{base}{mark}{query}")
}

fn joined(pairs: Vec<(String, String)>) -> String {
    let pairs = sorted(pairs);
    let written: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    written.join("&")
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

#[cfg(test)]
mod tests {
    use super::{Method, sign};

    const TOKEN: &str = "ZmFrZS1wbGl2by10b2tlbi0wMDAx";
    const NONCE: &str = "05429567804466091622";

    /// The expected values come from the official Python SDK.
    #[track_caller]
    fn check(method: Method, url: &str, parameters: &[(&str, &str)], expected: &str) {
        let owned: Vec<_> = parameters
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(sign(TOKEN, method, url, &owned, NONCE), expected, "{url}");
    }

    #[test]
    fn a_get_signs_the_sorted_query_and_parameters() {
        let answer = "https://bridge.example.com/plivo/answer";
        check(
            Method::Get,
            answer,
            &[],
            "IcEnpNV37vGzVish8xtniWU9guil3TRRirEXbC/RcmQ=",
        );
        check(
            Method::Get,
            &format!("{answer}?tenant=t1&a=b%20c"),
            &[],
            "CjhsZ0bZyHQszJ8MDJjIRFHi9YeWzSUDcKgYaf0Dsk4=",
        );
        let parameters = [("From", "15550100001"), ("CallUUID", "u-1")];
        check(
            Method::Get,
            &format!("{answer}?tenant=t1"),
            &parameters,
            "8PiyELpEoF6CHP3I0d8IhtXjuQIqPPjjvEreyP+FLjE=",
        );
    }

    #[test]
    fn a_post_signs_names_and_values_behind_the_query() {
        let answer = "https://bridge.example.com/plivo/answer";
        let four = [
            ("To", "15550100002"),
            ("CallUUID", "u-1"),
            ("From", "15550100001"),
            ("Event", "StartApp"),
        ];
        check(
            Method::Post,
            answer,
            &four,
            "pHaErUPz3Q2TH+FlEdL1ZSKoFoRaR6fLei4H+h1lyDc=",
        );
        let two = [("CallUUID", "u-1"), ("From", "15550100001")];
        check(
            Method::Post,
            &format!("{answer}?tenant=t1&a=2"),
            &two,
            "XEBeaTQoVSxk7UJsHk7ieqfaDkn4rVwfk/o+pIC9mVM=",
        );
        let letters = [("b", "2"), ("B", "1"), ("a", ""), ("A", "y")];
        check(
            Method::Post,
            "https://bridge.example.com/p",
            &letters,
            "jxAO/tAPtFVaPMrXGbAdb1k/ER0lb0XTFSln30tpBmY=",
        );
        check(
            Method::Post,
            "https://bridge.example.com/p",
            &[("x", "b"), ("x", "a")],
            "+CVy7ZPPbZJP5gVuN2VvrNDUUnxicT6ZQpwSakGk4gM=",
        );
    }

    #[test]
    fn a_post_without_parameters_is_signed_as_a_get() {
        let answer = "https://bridge.example.com/plivo/answer";
        check(
            Method::Post,
            answer,
            &[],
            "IcEnpNV37vGzVish8xtniWU9guil3TRRirEXbC/RcmQ=",
        );
        check(
            Method::Post,
            &format!("{answer}?tenant=t1"),
            &[],
            "sjsFnsX1N3AeLhTDcwBQWYqWuVG4PpSKjs6u1KGJWuQ=",
        );
    }

    #[test]
    fn an_upgrade_is_signed_over_the_http_form_with_port_and_query() {
        check(
            Method::Get,
            "http://bridge.example.com/plivo/media/abc123",
            &[],
            "L2KwC3M+MWIjqJKEqhqQVyoSzwXxmm3vTztya8FsI7Y=",
        );
        check(
            Method::Get,
            "http://bridge.example.com:8443/plivo/media/abc123?k=v",
            &[],
            "CoNSCtDBr7m/qxTF5BwTkv1KXxJcmJoEr5PiTyaQSNU=",
        );
        check(
            Method::Get,
            "wss://bridge.example.com/plivo/media/abc123",
            &[],
            "U11yIpJ4MKSLuAJzoxLCfyVPE5Qz9JvPwhMvGIxqTT0=",
        );
        check(
            Method::Get,
            "https://bridge.example.com/plivo/media/abc123",
            &[],
            "FvM921b342P+Gnl9cQ8fWbYVWkwFn22b6ilSfoAFbPI=",
        );
    }

    #[test]
    fn a_fragment_is_not_signed() {
        check(
            Method::Get,
            "https://bridge.example.com/plivo/answer#rc=2",
            &[],
            "IcEnpNV37vGzVish8xtniWU9guil3TRRirEXbC/RcmQ=",
        );
    }
}
