//! Vectors T1 to T11 were computed with `twilio.request_validator.RequestValidator` 9.13.0 and
//! re-checked in part with openssl and the Node library 6.2.0.

use handoff_core::pii::Secret;
use http::{HeaderMap, HeaderValue};

use crate::carrier::twilio::signature::{
    SETTINGS_HEADER, SIGNATURE_HEADER, SharedKey, SignatureError, SigningKeys, Verifier,
    VerifierError,
};

const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const ORIGIN: &str = "https://bridge.example.com";
const P: &[(&str, &str)] = &[
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("ApiVersion", "2010-04-01"),
    ("CallSid", "CA00000000000000000000000000000001"),
    ("CallStatus", "in-progress"),
    ("Direction", "inbound"),
    ("From", "+15550100001"),
    ("To", "+15550100002"),
];

fn by_token(public_url: &str) -> Verifier {
    let keys = SigningKeys::AuthTokens(vec![Secret::new(TOKEN)]);
    Verifier::new(public_url, keys).expect("a usable verifier")
}

fn by_shared_key() -> Verifier {
    let keys = SigningKeys::SharedKeys(vec![
        SharedKey {
            id: "sk-other".into(),
            secret: Secret::new("other"),
        },
        SharedKey {
            id: "sk-1".into(),
            secret: Secret::new(TOKEN),
        },
    ]);
    Verifier::new(ORIGIN, keys).expect("a usable verifier")
}

fn owned(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).expect("a header value"));
    }
    headers
}

fn signed(signature: &str) -> HeaderMap {
    headers(&[(SIGNATURE_HEADER, signature)])
}

/// Flips one bit in the middle of the signature.
fn altered(signature: &str) -> String {
    let mut bytes = signature.as_bytes().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("ASCII")
}

#[test]
fn form_vectors_verify_and_altered_ones_do_not() {
    let seven = &[("b", "2"), ("B", "1"), ("a", ""), ("A_", "x"), ("A", "y")];
    let eight = &[
        ("FromCity", "MÜNCHEN"),
        ("Caller", "+15550100001"),
        ("SpeechResult", "speak to a human, please"),
    ];
    let nine = &[
        ("Digits", "2"),
        ("Digits", "1"),
        ("Digits", "1"),
        ("CallSid", "CA1"),
    ];
    type Vector = (
        &'static str,
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
        &'static str,
    );
    let vectors: &[Vector] = &[
        (
            "T1",
            ORIGIN,
            "/twilio/voice",
            P,
            "0DjI7Pigzw6kuQwmfIOinP2d4A8=",
        ),
        (
            "T2",
            ORIGIN,
            "/twilio/voice?tenant=t1&n=2",
            P,
            "1PFpJq/SZPStTdRp8TqvsI5mS6Y=",
        ),
        (
            "T3",
            "https://bridge.example.com:443",
            "/twilio/voice",
            P,
            "iB+mJMq7mnImrlwEN6R63VSVJYM=",
        ),
        (
            "T4",
            "https://bridge.example.com:8443",
            "/twilio/voice",
            P,
            "dk8UIFSuYDydgj673nOlr7ueL2o=",
        ),
        (
            "T7",
            ORIGIN,
            "/twilio/voice",
            seven,
            "DQ9EwLyCgfPtksyaZG5hjBaQXCM=",
        ),
        (
            "T8",
            ORIGIN,
            "/twilio/voice",
            eight,
            "ot0jMIEq5ySzDgJVgHbDHTIpXiA=",
        ),
        (
            "T9",
            ORIGIN,
            "/twilio/voice",
            nine,
            "5iZ+Hv7hKoqdzIDBdT4+auJ39t0=",
        ),
    ];
    for (name, origin, target, parameters, signature) in vectors {
        let verifier = by_token(origin);
        let parameters = owned(parameters);
        let verify = |target: &str, parameters: &[(String, String)], signature: &str| {
            verifier.verify_form(target, parameters, &signed(signature))
        };
        assert_eq!(verify(target, &parameters, signature), Ok(()), "{name}");

        let mut reversed = parameters.clone();
        reversed.reverse();
        assert_eq!(verify(target, &reversed, signature), Ok(()), "{name}");

        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(
            verify(target, &parameters, &altered(signature)),
            mismatch,
            "{name}"
        );
        assert_eq!(
            verify(&format!("{target}/"), &parameters, signature),
            mismatch,
            "{name}"
        );
        assert_eq!(
            verify(target, &parameters[1..], signature),
            mismatch,
            "{name}"
        );
        let mut more = parameters.clone();
        more.push(("StirVerstat".into(), "TN-Validation-Passed-A".into()));
        assert_eq!(verify(target, &more, signature), mismatch, "{name}");
        let mut other = parameters.clone();
        other[0].1.push(' ');
        assert_eq!(verify(target, &other, signature), mismatch, "{name}");
    }
}

#[test]
fn ports_are_tried_as_the_official_validators_do() {
    let with_443 = signed("iB+mJMq7mnImrlwEN6R63VSVJYM=");
    let bare = signed("0DjI7Pigzw6kuQwmfIOinP2d4A8=");
    let parameters = owned(P);
    let verify = |origin: &str, headers: &HeaderMap| {
        by_token(origin).verify_form("/twilio/voice", &parameters, headers)
    };
    assert_eq!(verify(ORIGIN, &with_443), Ok(()));
    assert_eq!(verify("https://bridge.example.com:443", &bare), Ok(()));
    assert_eq!(verify("https://bridge.example.com:8443", &bare), Ok(()));
    assert_eq!(
        verify("https://bridge.example.com:8443", &with_443),
        Err(SignatureError::Mismatch)
    );
    assert_eq!(
        verify("http://bridge.example.com", &bare),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn get_vector_verifies() {
    let target = "/twilio/voice?CallSid=CA00000000000000000000000000000001&From=%2B15550100001";
    let verifier = by_token(ORIGIN);
    let headers = signed("XxFH0q9cBBTBt1MNr8VxNMJOwSc=");
    assert_eq!(verifier.verify_form(target, &[], &headers), Ok(()));
    let decoded = target.replace("%2B", "+");
    assert_eq!(
        verifier.verify_form(&decoded, &[], &headers),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn upgrade_vectors_verify_in_every_documented_spelling() {
    let verifier = by_token(ORIGIN);
    let path = "/twilio/media/abc123";
    for (name, signature) in [
        ("T6", "x4z/wGlfMDcqEGJ+RIrJWERVvgI="),
        ("T6b", "mBNKlIQYx6WiqYPAEKnbQE4xco0="),
        ("T6d", "nzHwPw9m7vlmscGflhJjsZOfJJ8="),
    ] {
        for path in [path, "/twilio/media/abc123/"] {
            let headers = signed(signature);
            assert_eq!(verifier.verify_upgrade(path, &headers), Ok(()), "{name}");
            let headers = signed(&altered(signature));
            assert_eq!(
                verifier.verify_upgrade(path, &headers),
                Err(SignatureError::Mismatch),
                "{name}"
            );
        }
        assert_eq!(
            verifier.verify_upgrade("/twilio/media/abc124", &signed(signature)),
            Err(SignatureError::Mismatch),
            "{name}"
        );
    }
    let of_https = signed("j5ROMO/vL6LvVdAX7J6cLgXiiWc=");
    assert_eq!(
        verifier.verify_upgrade(path, &of_https),
        Err(SignatureError::Mismatch),
        "T6c"
    );
    assert_eq!(
        verifier.verify_upgrade(path, &HeaderMap::new()),
        Err(SignatureError::Missing)
    );
}

#[test]
fn a_public_url_may_have_a_path() {
    for public_url in [
        "https://bridge.example.com/twilio",
        "https://bridge.example.com/twilio/",
    ] {
        let verifier = by_token(public_url);
        let headers = signed("0DjI7Pigzw6kuQwmfIOinP2d4A8=");
        assert_eq!(verifier.verify_form("/voice", &owned(P), &headers), Ok(()));
        let headers = signed("x4z/wGlfMDcqEGJ+RIrJWERVvgI=");
        assert_eq!(verifier.verify_upgrade("/media/abc123", &headers), Ok(()));
    }
}

#[test]
fn body_hash_is_signed_and_compared() {
    let target = "/twilio/json?bodySHA256=\
                  27ebfe91a318dc07829eec267640f3751e9a3cdc12079c47803ad76b3404b82e";
    let body = br#"{"event":"x","n":1}"#;
    let headers = signed("ryvewqED2WTYGTY1+zZirKOOUxI=");
    let verifier = by_token(ORIGIN);
    assert_eq!(verifier.verify_body(target, body, &headers), Ok(()));

    let longer = br#"{"event":"x","n":1} "#;
    assert_eq!(
        verifier.verify_body(target, longer, &headers),
        Err(SignatureError::BodyHash)
    );
    assert_eq!(
        verifier.verify_body(&target.replace("27ebfe", "27ebff"), body, &headers),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn a_signed_body_without_exactly_one_hash_is_refused() {
    let verifier = by_token(ORIGIN);
    // The signature of T1's URL without parameters stands for any validly signed URL without hash:
    // it is computed here because no vector covers it.
    let sign = |url: &str| {
        use base64::Engine as _;
        use hmac::Mac as _;
        let mut mac =
            hmac::Hmac::<sha1::Sha1>::new_from_slice(TOKEN.as_bytes()).expect("any key length");
        mac.update(url.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
    };
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (target, expected) in [
        ("/twilio/json".to_owned(), Err(SignatureError::BodyHash)),
        (
            format!("/twilio/json?bodySHA256={hash}&bodySHA256={hash}"),
            Err(SignatureError::BodyHash),
        ),
        (
            format!("/twilio/json?bodySHA256={}", hash.to_uppercase()),
            Err(SignatureError::BodyHash),
        ),
        (
            "/twilio/json?bodySHA256=".to_owned(),
            Err(SignatureError::BodyHash),
        ),
        (format!("/twilio/json?a=b&bodySHA256={hash}"), Ok(())),
    ] {
        let headers = signed(&sign(&format!("{ORIGIN}{target}")));
        assert_eq!(
            verifier.verify_body(&target, b"", &headers),
            expected,
            "{target}"
        );
    }
}

#[test]
fn either_token_is_accepted_during_rotation_and_no_third() {
    let verify = |tokens: &[&str]| {
        let tokens = tokens.iter().map(|token| Secret::new(*token)).collect();
        Verifier::new(ORIGIN, SigningKeys::AuthTokens(tokens))
            .expect("a usable verifier")
            .verify_form(
                "/twilio/voice",
                &owned(P),
                &signed("0DjI7Pigzw6kuQwmfIOinP2d4A8="),
            )
    };
    assert_eq!(verify(&[TOKEN, "new"]), Ok(()));
    assert_eq!(verify(&["new", TOKEN]), Ok(()));
    assert_eq!(verify(&["new", "newer"]), Err(SignatureError::Mismatch));
}

#[test]
fn shared_keys_verify_by_name_and_are_never_downgraded() {
    const T1: &str = "0DjI7Pigzw6kuQwmfIOinP2d4A8=";
    const T11: &str = "hZEZqAuVpvnODt1abJz00LooeE4WwCxWwBdr9xvIZHA=";
    let verify = |verifier: &Verifier, signature: &str, settings: &[&str]| {
        let mut headers = signed(signature);
        for settings in settings {
            headers.append(
                SETTINGS_HEADER,
                HeaderValue::from_str(settings).expect("a header value"),
            );
        }
        verifier.verify_form("/twilio/voice", &owned(P), &headers)
    };
    use SignatureError::{Downgrade, Duplicate, Malformed, Mismatch, UnknownAlgorithm, UnknownKey};
    let shared = by_shared_key();
    for (signature, settings, expected) in [
        (T11, &["key=sk-1,algorithm=HMAC_SHA256"][..], Ok(())),
        (T11, &[" algorithm=hmac_sha256 , key=sk-1 "], Ok(())),
        (T11, &["key=sk-other,algorithm=HMAC_SHA256"], Err(Mismatch)),
        (T11, &["key=sk-2,algorithm=HMAC_SHA256"], Err(UnknownKey)),
        (T11, &["algorithm=HMAC_SHA256"], Err(UnknownKey)),
        (
            T11,
            &["key=sk-1,algorithm=HMAC_SHA512"],
            Err(UnknownAlgorithm),
        ),
        (T11, &["key=sk-1,algorithm=none"], Err(UnknownAlgorithm)),
        (T11, &["key=sk-1"], Err(Downgrade)),
        (T11, &[], Err(Downgrade)),
        (T1, &[], Err(Downgrade)),
        (T1, &["key=sk-1,algorithm=HMAC_SHA1"], Err(Downgrade)),
        (T1, &["key=sk-1,algorithm=HMAC_SHA256"], Err(Mismatch)),
        (
            T11,
            &["key=a,key=sk-1,algorithm=HMAC_SHA256"],
            Err(Malformed),
        ),
        (
            T11,
            &["key=sk-1,algorithm=HMAC_SHA256,algorithm=HMAC_SHA1"],
            Err(Malformed),
        ),
        (T11, &["key=sk-1,algorithm=HMAC_SHA256"; 2], Err(Duplicate)),
    ] {
        assert_eq!(
            verify(&shared, signature, settings),
            expected,
            "{settings:?}"
        );
    }
    let classic = by_token(ORIGIN);
    for (signature, settings, expected) in [
        (T1, &[][..], Ok(())),
        (T1, &[""], Ok(())),
        (T1, &["key=sk-1"], Ok(())),
        (T1, &["algorithm=HMAC_SHA1"], Ok(())),
        (T1, &["algorithm=HMAC_SHA512"], Err(UnknownAlgorithm)),
        (T11, &["key=sk-1,algorithm=HMAC_SHA256"], Err(UnknownKey)),
        (T11, &[], Err(Mismatch)),
    ] {
        assert_eq!(
            verify(&classic, signature, settings),
            expected,
            "{settings:?}"
        );
    }
}

#[test]
fn missing_repeated_and_misshapen_signatures_are_told_apart() {
    const T1: &str = "0DjI7Pigzw6kuQwmfIOinP2d4A8=";
    let verify =
        |headers: &HeaderMap| by_token(ORIGIN).verify_form("/twilio/voice", &owned(P), headers);
    assert_eq!(verify(&HeaderMap::new()), Err(SignatureError::Missing));
    for pair in [[T1, T1], [T1, "x"], ["x", T1]] {
        let twice = headers(&pair.map(|signature| (SIGNATURE_HEADER, signature)));
        assert_eq!(verify(&twice), Err(SignatureError::Duplicate));
    }
    for malformed in [
        "not base64!",
        "0DjI7Pigzw6kuQwmfIOinP2d4A8",
        "0DjI7Pigzw6kuQwmfIOinP2d4A9=",
    ] {
        assert_eq!(
            verify(&signed(malformed)),
            Err(SignatureError::Malformed),
            "{malformed}"
        );
    }
    for shorter in ["", "0DjI", "0DjI7Pigzw6kuQwmfIOinP2d"] {
        assert_eq!(verify(&signed(shorter)), Err(SignatureError::Mismatch));
    }
    let mut binary = HeaderMap::new();
    let value = HeaderValue::from_bytes(&[0xff, 0xfe]).expect("opaque bytes");
    binary.insert(SIGNATURE_HEADER, value);
    assert_eq!(verify(&binary), Err(SignatureError::Malformed));
}

#[test]
fn a_verifier_that_anybody_could_satisfy_cannot_be_made() {
    let make = |url: &str, tokens: &[&str]| {
        let tokens = tokens.iter().map(|token| Secret::new(*token)).collect();
        Verifier::new(url, SigningKeys::AuthTokens(tokens)).map(|_| ())
    };
    assert_eq!(make(ORIGIN, &[]), Err(VerifierError::Key));
    assert_eq!(make(ORIGIN, &[TOKEN, ""]), Err(VerifierError::Key));
    for bad in [
        "",
        "bridge.example.com",
        "/twilio",
        "wss://bridge.example.com",
        "https://",
        "https://bridge.example.com?x=1",
        "https://bridge.example.com/#a",
        "https://user:pass@bridge.example.com",
    ] {
        assert_eq!(make(bad, &[TOKEN]), Err(VerifierError::PublicUrl), "{bad}");
    }
    assert_eq!(make("http://127.0.0.1:8080", &[TOKEN]), Ok(()));
}
