//! Vectors P1 to P11 and V2 were computed with `plivo.utils.signature_v3` 4.63.0 and re-checked in part
//! with openssl; those marked "py" with the same library, for what P1 to P11 leave open.

use handoff_core::pii::Secret;
use http::{HeaderMap, HeaderValue};

use crate::base_url::BaseUrl;
use crate::carrier::plivo::signature::{
    MAIN_SIGNATURE_HEADER, NONCE_HEADER, NoToken, SIGNATURE_HEADER, SignatureError, SignedScheme,
    Verifier,
};

const TOKEN: &str = "ZmFrZS1wbGl2by10b2tlbi0wMDAx";
const SUB_TOKEN: &str = "c3ViLWFjY291bnQtdG9rZW4";
const NONCE: &str = "05429567804466091622";
const ORIGIN: &str = "https://bridge.example.com";

const P4: &[(&str, &str)] = &[
    ("CallUUID", "u-1"),
    ("Event", "StartApp"),
    ("From", "15550100001"),
    ("To", "15550100002"),
];
const P4_SIGNATURE: &str = "pHaErUPz3Q2TH+FlEdL1ZSKoFoRaR6fLei4H+h1lyDc=";
const P8_SIGNATURE: &str = "L2KwC3M+MWIjqJKEqhqQVyoSzwXxmm3vTztya8FsI7Y=";
const P11_SIGNATURE: &str = "evaHI17789gg/tEW8TmLRIlcIDX7wqPEQilVJtdCA80=";
const P11_BY_SUB: &str = "uBilwspHNU7rXdrexu4UPYLva86YCU3Vsn32/H12Tzk=";

fn verifier(origin: &str, tokens: &[&str]) -> Verifier {
    let origin = BaseUrl::parse(origin).expect("a base URL");
    let tokens = tokens.iter().map(|token| Secret::new(*token)).collect();
    Verifier::new(&origin, tokens).expect("a usable verifier")
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
    headers(&[(SIGNATURE_HEADER, signature), (NONCE_HEADER, NONCE)])
}

/// Changes one character in the middle of the signature.
fn altered(signature: &str) -> String {
    let mut bytes = signature.as_bytes().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("ASCII")
}

#[test]
fn form_vectors_verify_and_altered_ones_do_not() {
    type Vector = (
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
        &'static str,
    );
    let vectors: &[Vector] = &[
        ("P4", "/plivo/answer", P4, P4_SIGNATURE),
        (
            "P5",
            "/plivo/answer?tenant=t1&a=2",
            &[("CallUUID", "u-1"), ("From", "15550100001")],
            "XEBeaTQoVSxk7UJsHk7ieqfaDkn4rVwfk/o+pIC9mVM=",
        ),
        (
            "P9",
            "/p",
            &[("b", "2"), ("B", "1"), ("a", ""), ("A", "y")],
            "jxAO/tAPtFVaPMrXGbAdb1k/ER0lb0XTFSln30tpBmY=",
        ),
        (
            "P10",
            "/p",
            &[("x", "b"), ("x", "a")],
            "+CVy7ZPPbZJP5gVuN2VvrNDUUnxicT6ZQpwSakGk4gM=",
        ),
        ("P11", "/p", &[("CallUUID", "u-1")], P11_SIGNATURE),
        (
            "py: a repeated value counts twice",
            "/p",
            &[("x", "b"), ("x", "a"), ("x", "a")],
            "fd3PmJab43B5oumjPvwXRPaZl3wDo0YV8Qxz6f2qyAc=",
        ),
        (
            "py: values beyond ASCII",
            "/plivo/answer",
            &[
                ("FromCity", "MÜNCHEN"),
                ("Text", "one two+3"),
                ("Empty", ""),
            ],
            "SLGkyzi+2MDSshmsMurIC/pGZ4VbxkNcntrpV+Ua2Js=",
        ),
        (
            "py: a query with spaces and an empty value",
            "/plivo/answer?a=b+c&flag=",
            &[("x", "1")],
            "+5CSFAamHXcooSXB7enGfc3reFN/UAacmIlmmV8Dbrc=",
        ),
    ];
    let verifier = verifier(ORIGIN, &[TOKEN]);
    for (name, target, parameters, signature) in vectors {
        let parameters = owned(parameters);
        let verify = |target: &str, parameters: &[(String, String)], headers: &HeaderMap| {
            verifier.verify_form(target, parameters, headers)
        };
        let good = signed(signature);
        assert_eq!(verify(target, &parameters, &good), Ok(()), "{name}");

        let mut reversed = parameters.clone();
        reversed.reverse();
        assert_eq!(verify(target, &reversed, &good), Ok(()), "{name}");

        let main = headers(&[(MAIN_SIGNATURE_HEADER, signature), (NONCE_HEADER, NONCE)]);
        assert_eq!(verify(target, &parameters, &main), Ok(()), "{name}");

        let mismatch = Err(SignatureError::Mismatch);
        let bad = signed(&altered(signature));
        assert_eq!(verify(target, &parameters, &bad), mismatch, "{name}");
        let longer = format!("/x{target}");
        assert_eq!(verify(&longer, &parameters, &good), mismatch, "{name}");
        let fewer = &parameters[1..];
        assert_eq!(verify(target, fewer, &good), mismatch, "{name}");
        let mut more = parameters.clone();
        more.push(("StirVerification".into(), "Verified".into()));
        assert_eq!(verify(target, &more, &good), mismatch, "{name}");
        let mut other = parameters.clone();
        other[0].1.push(' ');
        assert_eq!(verify(target, &other, &good), mismatch, "{name}");
        let later = headers(&[
            (SIGNATURE_HEADER, signature),
            (NONCE_HEADER, "05429567804466091623"),
        ]);
        assert_eq!(verify(target, &parameters, &later), mismatch, "{name}");
    }
}

#[test]
fn get_vectors_verify_and_so_do_posts_without_parameters() {
    let verifier = verifier(ORIGIN, &[TOKEN]);
    for (name, target, signature) in [
        (
            "P1, P7",
            "/plivo/answer",
            "IcEnpNV37vGzVish8xtniWU9guil3TRRirEXbC/RcmQ=",
        ),
        (
            "P2",
            "/plivo/answer?tenant=t1&a=b%20c",
            "CjhsZ0bZyHQszJ8MDJjIRFHi9YeWzSUDcKgYaf0Dsk4=",
        ),
        (
            "P3",
            "/plivo/answer?tenant=t1&CallUUID=u-1&From=15550100001",
            "8PiyELpEoF6CHP3I0d8IhtXjuQIqPPjjvEreyP+FLjE=",
        ),
        (
            "P6",
            "/plivo/answer?tenant=t1",
            "sjsFnsX1N3AeLhTDcwBQWYqWuVG4PpSKjs6u1KGJWuQ=",
        ),
        (
            "py: repeated, empty and bare names",
            "/plivo/answer?a=b+c&flag&e=&a=%2B1&a=b+a",
            "9dybbSVvKX5JfFk9qbuRHeZN0wAsJDgDZ8yfCEWjY7c=",
        ),
    ] {
        let good = signed(signature);
        assert_eq!(verifier.verify_get(target, &good), Ok(()), "{name}");
        assert_eq!(verifier.verify_form(target, &[], &good), Ok(()), "{name}");
        let mismatch = Err(SignatureError::Mismatch);
        let bad = signed(&altered(signature));
        assert_eq!(verifier.verify_get(target, &bad), mismatch, "{name}");
        let other = target.replace("answer", "answers");
        assert_eq!(verifier.verify_get(&other, &good), mismatch, "{name}");
        let parameters = owned(&[("x", "1")]);
        let with_body = verifier.verify_form(target, &parameters, &good);
        assert_eq!(with_body, mismatch, "{name}");
    }
}

#[test]
fn upgrades_verify_in_four_schemes_and_say_which() {
    let verify = |origin: &str, target: &str, signature: &str| {
        verifier(origin, &[TOKEN]).verify_upgrade(target, &signed(signature))
    };
    let path = "/plivo/media/abc123";
    for (name, signature, scheme) in [
        ("P8", P8_SIGNATURE, SignedScheme::Http),
        (
            "P8w",
            "U11yIpJ4MKSLuAJzoxLCfyVPE5Qz9JvPwhMvGIxqTT0=",
            SignedScheme::Wss,
        ),
        (
            "P8s",
            "FvM921b342P+Gnl9cQ8fWbYVWkwFn22b6ilSfoAFbPI=",
            SignedScheme::Https,
        ),
    ] {
        assert_eq!(verify(ORIGIN, path, signature), Ok(scheme), "{name}");
        let mismatch = Err(SignatureError::Mismatch);
        let bad = altered(signature);
        assert_eq!(verify(ORIGIN, path, &bad), mismatch, "{name}");
        let other = "/plivo/media/abc124";
        assert_eq!(verify(ORIGIN, other, signature), mismatch, "{name}");
        let port = "https://bridge.example.com:8443";
        assert_eq!(verify(port, path, signature), mismatch, "{name}");
    }
    let with_port = verify(
        "https://bridge.example.com:8443",
        "/plivo/media/abc123?k=v",
        "CoNSCtDBr7m/qxTF5BwTkv1KXxJcmJoEr5PiTyaQSNU=",
    );
    assert_eq!(with_port, Ok(SignedScheme::Http), "P8b");
}

#[test]
fn a_webhook_is_signed_under_its_own_scheme_alone() {
    let verifier = verifier(ORIGIN, &[TOKEN]);
    let of_http = verifier.verify_get("/plivo/media/abc123", &signed(P8_SIGNATURE));
    assert_eq!(of_http, Err(SignatureError::Mismatch));
}

#[test]
fn a_public_url_may_have_a_port_and_a_path() {
    let port = verifier("https://bridge.example.com:8443", &[TOKEN]);
    let headers = signed("+oQM2ydilxHtAIqgi1/lH9V0wFp7wgCRUcu4jgUTpSI=");
    let parameters = owned(&[("CallUUID", "u-1")]);
    let verified = port.verify_form("/plivo/answer", &parameters, &headers);
    assert_eq!(verified, Ok(()), "py");

    for origin in [
        "https://bridge.example.com/plivo",
        "https://bridge.example.com/plivo/",
    ] {
        let below = verifier(origin, &[TOKEN]);
        let verified = below.verify_form("/answer", &owned(P4), &signed(P4_SIGNATURE));
        assert_eq!(verified, Ok(()));
        let upgrade = below.verify_upgrade("/media/abc123", &signed(P8_SIGNATURE));
        assert_eq!(upgrade, Ok(SignedScheme::Http));
    }
}

#[test]
fn one_good_signature_of_a_list_is_enough() {
    let verifier = verifier(ORIGIN, &[TOKEN]);
    let verify = |pairs: &[(&'static str, &str)]| {
        let mut headers = headers(pairs);
        headers.append(NONCE_HEADER, HeaderValue::from_static(NONCE));
        verifier.verify_form("/p", &owned(&[("CallUUID", "u-1")]), &headers)
    };
    let good = P11_SIGNATURE;
    for list in [
        format!("AAAA=,{good}"),
        format!("AAAA=, {good}"),
        format!("{good} ,\tAAAA="),
        format!(",,{good},"),
        format!("not base64!,{P4_SIGNATURE},{good}"),
    ] {
        assert_eq!(verify(&[(SIGNATURE_HEADER, &list)]), Ok(()), "{list}");
        assert_eq!(verify(&[(MAIN_SIGNATURE_HEADER, &list)]), Ok(()), "{list}");
    }
    for pairs in [
        [(SIGNATURE_HEADER, "AAAA="), (SIGNATURE_HEADER, good)],
        [
            (SIGNATURE_HEADER, P4_SIGNATURE),
            (MAIN_SIGNATURE_HEADER, good),
        ],
        [(SIGNATURE_HEADER, good), (MAIN_SIGNATURE_HEADER, "AAAA=")],
    ] {
        assert_eq!(verify(&pairs), Ok(()), "{pairs:?}");
    }
    let mismatch = Err(SignatureError::Mismatch);
    for list in [
        "AAAA=".to_owned(),
        format!("AAAA=,{P4_SIGNATURE},{P8_SIGNATURE}"),
        good.replace('=', ""),
        good.replace("eva", "eva,"),
        good.to_lowercase(),
        format!("\"{good}\""),
    ] {
        assert_eq!(verify(&[(SIGNATURE_HEADER, &list)]), mismatch, "{list}");
    }
}

#[test]
fn any_accepted_token_is_good_and_no_other() {
    let verify = |tokens: &[&str], signature: &str| {
        verifier(ORIGIN, tokens).verify_form(
            "/p",
            &owned(&[("CallUUID", "u-1")]),
            &signed(signature),
        )
    };
    let mismatch = Err(SignatureError::Mismatch);
    for (tokens, by_main, by_sub) in [
        (&[TOKEN][..], Ok(()), mismatch),
        (&[SUB_TOKEN], mismatch, Ok(())),
        (&[TOKEN, SUB_TOKEN], Ok(()), Ok(())),
        (&["next", SUB_TOKEN, TOKEN], Ok(()), Ok(())),
        (&["next"], mismatch, mismatch),
    ] {
        assert_eq!(verify(tokens, P11_SIGNATURE), by_main, "{tokens:?}");
        assert_eq!(verify(tokens, P11_BY_SUB), by_sub, "{tokens:?}");
    }
}

#[test]
fn version_two_is_never_enough() {
    const V2: &str = "T9hEpf7hHGYpZu0ew6a7wZkwluhkgujekPlmpK+KvZw=";
    let verifier = verifier(ORIGIN, &[TOKEN]);
    let verify = |pairs: &[(&'static str, &str)]| {
        verifier.verify_form("/plivo/answer?tenant=t1", &[], &headers(pairs))
    };
    let nonce = ("x-plivo-signature-v2-nonce", NONCE);
    for name in ["x-plivo-signature-v2", "x-plivo-signature-ma-v2"] {
        let weak = (name, V2);
        assert_eq!(verify(&[weak, nonce]), Err(SignatureError::Downgrade));
        let empty = (SIGNATURE_HEADER, "");
        assert_eq!(
            verify(&[weak, nonce, empty]),
            Err(SignatureError::Downgrade)
        );
        let beside_a_wrong_one = [
            weak,
            nonce,
            (SIGNATURE_HEADER, P4_SIGNATURE),
            (NONCE_HEADER, NONCE),
        ];
        assert_eq!(verify(&beside_a_wrong_one), Err(SignatureError::Mismatch));
        let passed_off_as_three = [(SIGNATURE_HEADER, V2), (NONCE_HEADER, NONCE)];
        assert_eq!(verify(&passed_off_as_three), Err(SignatureError::Mismatch));
    }
}

#[test]
fn missing_and_misshapen_signatures_and_nonces_are_told_apart() {
    use SignatureError::{Malformed, Missing, NonceDuplicate, NonceMissing};
    let verifier = verifier(ORIGIN, &[TOKEN]);
    let verify = |headers: &HeaderMap| verifier.verify_form("/plivo/answer", &owned(P4), headers);
    let good = (SIGNATURE_HEADER, P4_SIGNATURE);
    let nonce = (NONCE_HEADER, NONCE);
    for (pairs, error) in [
        (&[][..], Missing),
        (&[nonce], Missing),
        (&[(SIGNATURE_HEADER, " , ,"), nonce], Missing),
        (&[good], NonceMissing),
        (&[good, (NONCE_HEADER, "")], NonceMissing),
        (&[good, nonce, nonce], NonceDuplicate),
        (&[good, (NONCE_HEADER, "x.05429567804466091622")], Malformed),
    ] {
        assert_eq!(verify(&headers(pairs)), Err(error), "{pairs:?}");
    }
    for name in [SIGNATURE_HEADER, MAIN_SIGNATURE_HEADER, NONCE_HEADER] {
        let mut binary = headers(&[good, nonce]);
        let value = HeaderValue::from_bytes(&[0xff, 0xfe]).expect("opaque bytes");
        binary.insert(name, value);
        assert_eq!(verify(&binary), Err(Malformed), "{name}");
    }
}

#[test]
fn a_signature_is_good_for_one_reading_alone() {
    // `From=1555` and a nonce `0100001.<n>` spell the signed text of `From=1555.0100001` and `<n>`.
    let verifier = verifier(ORIGIN, &[TOKEN]);
    let sign = |text: &str| {
        use base64::Engine as _;
        use hmac::Mac as _;
        let mut mac =
            hmac::Hmac::<sha2::Sha256>::new_from_slice(TOKEN.as_bytes()).expect("any key length");
        mac.update(text.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
    };
    let signature = sign(&format!("{ORIGIN}/p?From1555.0100001.{NONCE}"));
    let verify = |from: &str, nonce: &str| {
        let headers = headers(&[(SIGNATURE_HEADER, &signature), (NONCE_HEADER, nonce)]);
        verifier.verify_form("/p", &owned(&[("From", from)]), &headers)
    };
    assert_eq!(verify("1555.0100001", NONCE), Ok(()));
    let moved = verify("1555", &format!("0100001.{NONCE}"));
    assert_eq!(moved, Err(SignatureError::Malformed));
}

#[test]
fn a_verifier_that_anybody_could_satisfy_cannot_be_made() {
    let origin = BaseUrl::parse(ORIGIN).expect("a base URL");
    let make = |tokens: &[&str]| {
        let tokens = tokens.iter().map(|token| Secret::new(*token)).collect();
        Verifier::new(&origin, tokens).map(|_| ())
    };
    assert_eq!(make(&[]), Err(NoToken));
    assert_eq!(make(&[TOKEN, ""]), Err(NoToken));
    assert_eq!(make(&[TOKEN]), Ok(()));
}
