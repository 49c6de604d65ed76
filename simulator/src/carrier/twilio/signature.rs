//! Twilio's request signature: base64 of HMAC-SHA1 over the URL and the sorted form parameters.
//!
//! Source: <https://www.twilio.com/docs/usage/webhooks/webhooks-security>, read 2026-11-21, and the
//! official validators of PyPI `twilio` 9.13.0 and npm `twilio` 6.2.0.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// Signs a request to `url` with the given form parameters (none for GET and for a WebSocket upgrade).
///
/// The fragment is never sent and not signed; everything else of the URL counts byte for byte. Each
/// distinct name and value counts once.
pub fn sign(auth_token: &str, url: &str, parameters: &[(String, String)]) -> String {
    let url = url.split_once('#').map_or(url, |(signed, _)| signed);
    let sorted: BTreeSet<_> = parameters.iter().collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::sign;

    const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const P: &[(&str, &str)] = &[
        ("To", "+15550100002"),
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", "CA00000000000000000000000000000001"),
        ("CallStatus", "in-progress"),
        ("Direction", "inbound"),
        ("From", "+15550100001"),
    ];

    #[track_caller]
    fn check(url: &str, parameters: &[(&str, &str)], expected: &str) {
        let owned: Vec<_> = parameters
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(sign(TOKEN, url, &owned), expected);
    }

    #[test]
    fn webhooks_are_signed_as_the_official_validator_expects() {
        check(
            "https://bridge.example.com/twilio/voice",
            P,
            "0DjI7Pigzw6kuQwmfIOinP2d4A8=",
        );
        check(
            "https://bridge.example.com/twilio/voice?tenant=t1&n=2",
            P,
            "1PFpJq/SZPStTdRp8TqvsI5mS6Y=",
        );
        check(
            "https://bridge.example.com:443/twilio/voice",
            P,
            "iB+mJMq7mnImrlwEN6R63VSVJYM=",
        );
        check(
            "https://bridge.example.com:8443/twilio/voice",
            P,
            "dk8UIFSuYDydgj673nOlr7ueL2o=",
        );
    }

    #[test]
    fn a_fragment_is_not_signed() {
        check(
            "https://bridge.example.com/twilio/voice#ct=2000&rp=all",
            P,
            "0DjI7Pigzw6kuQwmfIOinP2d4A8=",
        );
    }

    #[test]
    fn gets_and_upgrades_are_signed_over_the_url_alone() {
        check(
            "https://bridge.example.com/twilio/voice?CallSid=CA00000000000000000000000000000001&From=%2B15550100001",
            &[],
            "XxFH0q9cBBTBt1MNr8VxNMJOwSc=",
        );
        check(
            "wss://bridge.example.com/twilio/media/abc123",
            &[],
            "x4z/wGlfMDcqEGJ+RIrJWERVvgI=",
        );
        check(
            "wss://bridge.example.com/twilio/media/abc123/",
            &[],
            "mBNKlIQYx6WiqYPAEKnbQE4xco0=",
        );
        check(
            "https://bridge.example.com/twilio/media/abc123",
            &[],
            "j5ROMO/vL6LvVdAX7J6cLgXiiWc=",
        );
        check(
            "wss://bridge.example.com:443/twilio/media/abc123",
            &[],
            "nzHwPw9m7vlmscGflhJjsZOfJJ8=",
        );
    }

    #[test]
    fn names_sort_by_bytes_and_repeated_pairs_count_once() {
        let url = "https://bridge.example.com/twilio/voice";
        check(
            url,
            &[("b", "2"), ("B", "1"), ("a", ""), ("A_", "x"), ("A", "y")],
            "DQ9EwLyCgfPtksyaZG5hjBaQXCM=",
        );
        check(
            url,
            &[
                ("FromCity", "MÜNCHEN"),
                ("Caller", "+15550100001"),
                ("SpeechResult", "speak to a human, please"),
            ],
            "ot0jMIEq5ySzDgJVgHbDHTIpXiA=",
        );
        check(
            url,
            &[
                ("Digits", "2"),
                ("Digits", "1"),
                ("Digits", "1"),
                ("CallSid", "CA1"),
            ],
            "5iZ+Hv7hKoqdzIDBdT4+auJ39t0=",
        );
    }

    #[test]
    fn a_json_body_is_bound_by_its_hash_in_the_url() {
        let hash = "27ebfe91a318dc07829eec267640f3751e9a3cdc12079c47803ad76b3404b82e";
        check(
            &format!("https://bridge.example.com/twilio/json?bodySHA256={hash}"),
            &[],
            "ryvewqED2WTYGTY1+zZirKOOUxI=",
        );
    }
}
