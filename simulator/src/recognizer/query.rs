//! The query of `GET /v1/listen`, checked as strictly as the documentation allows.
//!
//! Source: developers.deepgram.com (encoding, endpointing, utterance end, keyterm) and `asyncapi.yml` of
//! deepgram/deepgram-api-specs at 4ba987c, read 2026-11-21.

use super::options::Speaker;

/// Parameters that may be given once.
const SINGLE: &[&str] = &[
    "callback",
    "callback_method",
    "channels",
    "detect_entities",
    "diarize",
    "diarize_model",
    "dictation",
    "encoding",
    "endpointing",
    "interim_results",
    "language",
    "mip_opt_out",
    "model",
    "multichannel",
    "no_delay",
    "numerals",
    "profanity_filter",
    "punctuate",
    "sample_rate",
    "smart_format",
    "utterance_end_ms",
    "vad_events",
    "version",
];
/// Parameters that may be repeated.
const REPEATED: &[&str] = &[
    "extra", "keyterm", "keywords", "redact", "replace", "search", "tag",
];
const BOOLEAN: &[&str] = &[
    "detect_entities",
    "diarize",
    "dictation",
    "interim_results",
    "mip_opt_out",
    "multichannel",
    "no_delay",
    "numerals",
    "profanity_filter",
    "punctuate",
    "smart_format",
    "vad_events",
];
const ENCODINGS: &[&str] = &[
    "linear16", "linear32", "flac", "alaw", "mulaw", "amr-nb", "amr-wb", "opus", "ogg-opus",
    "speex", "g729",
];
/// `sentiment` and its like exist for recordings only.
const RECORDED_ONLY: &[&str] = &[
    "sentiment",
    "intents",
    "topics",
    "summarize",
    "detect_language",
    "paragraphs",
    "utterances",
];
const MODELS: &[&str] = &[
    "nova-3",
    "nova-3-general",
    "nova-3-medical",
    "nova-2",
    "nova-2-general",
    "nova-2-meeting",
    "nova-2-finance",
    "nova-2-conversationalai",
    "nova-2-voicemail",
    "nova-2-video",
    "nova-2-medical",
    "nova-2-drivethru",
    "nova-2-automotive",
    "nova-2-phonecall",
    "nova-2-atc",
    "nova",
    "nova-general",
    "nova-phonecall",
    "nova-medical",
    "enhanced",
    "enhanced-general",
    "enhanced-meeting",
    "enhanced-phonecall",
    "enhanced-finance",
    "base",
    "base-general",
    "base-meeting",
    "base-phonecall",
    "base-finance",
    "base-conversationalai",
    "base-voicemail",
    "base-video",
];
const KEYTERM_TOKENS: usize = 500;

/// What an accepted query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// From `extra=call:…`; empty when it was left out.
    pub call: String,
    /// From `extra=speaker:…`.
    pub speaker: Option<Speaker>,
    /// Bytes of a second of audio.
    pub bytes_per_second: u64,
    /// Channels of the audio.
    pub channels: u64,
    /// Whether results that may still change are wanted.
    pub interim_results: bool,
    /// Whether `SpeechStarted` is wanted.
    pub vad_events: bool,
    /// Whether `UtteranceEnd` is wanted.
    pub utterance_end: bool,
}

/// Why a query is answered with 400: one clear sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Checks a decoded query.
///
/// # Errors
/// [`Refusal`] for the first rule that is broken.
pub fn check_query(pairs: &[(String, String)]) -> Result<Listen, Refusal> {
    for (index, (name, value)) in pairs.iter().enumerate() {
        check_pair(name, value)?;
        if SINGLE.contains(&name.as_str())
            && pairs[..index].iter().any(|(earlier, _)| earlier == name)
        {
            return refuse(format!("query parameter {name} is given more than once"));
        }
    }
    let value = |wanted: &str| {
        pairs
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let is_true = |wanted: &str| value(wanted) == Some("true");

    let (Some(encoding), Some(sample_rate)) = (value("encoding"), value("sample_rate")) else {
        return refuse("raw audio needs both encoding and sample_rate");
    };
    if !ENCODINGS.contains(&encoding) {
        return refuse(format!("encoding {encoding} does not exist"));
    }
    let Some(sample_rate) = number(sample_rate).filter(|rate| (8_000..=48_000).contains(rate))
    else {
        return refuse("sample_rate must be a number from 8000 to 48000");
    };
    let Some(channels) =
        number(value("channels").unwrap_or("1")).filter(|channels| (1..=20).contains(channels))
    else {
        return refuse("channels must be a number from 1 to 20");
    };
    if is_true("multichannel") && channels < 2 {
        return refuse("multichannel needs channels of at least 2");
    }
    let model = value("model").unwrap_or("base");
    if !MODELS.contains(&model) {
        return refuse(format!("model {model} does not exist"));
    }
    check_endings(
        value("endpointing"),
        value("utterance_end_ms"),
        is_true("interim_results"),
    )?;
    check_keyterms(pairs, model)?;

    let extra = |key: &str| {
        let extras = pairs.iter().filter(|(name, _)| name == "extra");
        extras
            .filter_map(|(_, pair)| pair.split_once(':'))
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    };
    let sample_bytes = match encoding {
        "linear16" => 2,
        "linear32" => 4,
        _ => 1,
    };
    Ok(Listen {
        call: extra("call").unwrap_or_default().to_owned(),
        speaker: extra("speaker").and_then(|word| word.parse().ok()),
        bytes_per_second: sample_rate * channels * sample_bytes,
        channels,
        interim_results: is_true("interim_results"),
        vad_events: is_true("vad_events"),
        utterance_end: value("utterance_end_ms").is_some(),
    })
}

fn check_pair(name: &str, value: &str) -> Result<(), Refusal> {
    if RECORDED_ONLY.contains(&name) {
        return refuse(format!(
            "query parameter {name} is not available for live audio"
        ));
    }
    if !SINGLE.contains(&name) && !REPEATED.contains(&name) {
        return refuse(format!("query parameter {name} is unknown"));
    }
    if BOOLEAN.contains(&name) && !matches!(value, "true" | "false") {
        return refuse(format!("query parameter {name} must be true or false"));
    }
    if value.is_empty() {
        return refuse(format!("query parameter {name} is empty"));
    }
    if name == "extra" && !value.contains(':') {
        return refuse("query parameter extra must be key:value");
    }
    Ok(())
}

fn check_endings(
    endpointing: Option<&str>,
    utterance_end_ms: Option<&str>,
    interim: bool,
) -> Result<(), Refusal> {
    if endpointing
        .is_some_and(|value| value != "false" && value != "true" && number(value).is_none())
    {
        return refuse("endpointing must be false or a number of milliseconds");
    }
    let Some(utterance_end_ms) = utterance_end_ms else {
        return Ok(());
    };
    if !interim {
        return refuse("utterance_end_ms needs interim_results=true");
    }
    if number(utterance_end_ms).is_none_or(|value| value < 1000) {
        return refuse("utterance_end_ms must be at least 1000");
    }
    Ok(())
}

fn check_keyterms(pairs: &[(String, String)], model: &str) -> Result<(), Refusal> {
    let keyterms: Vec<&str> = pairs
        .iter()
        .filter(|(name, _)| name == "keyterm")
        .map(|(_, value)| value.as_str())
        .collect();
    if keyterms.is_empty() {
        return Ok(());
    }
    if !model.starts_with("nova-3") {
        return refuse("keyterm needs a nova-3 model");
    }
    let tokens: usize = keyterms.iter().map(|term| keyterm_tokens(term)).sum();
    if tokens > KEYTERM_TOKENS {
        return refuse(format!(
            "keyterms come to about {tokens} tokens, {KEYTERM_TOKENS} are allowed"
        ));
    }
    Ok(())
}

/// Estimates the tokens of one keyterm: one for every four characters begun of each word.
///
/// Deepgram does not publish its tokenizer (UNCONFIRMED); English words come to about that many.
pub fn keyterm_tokens(term: &str) -> usize {
    term.split_whitespace()
        .map(|word| word.chars().count().div_ceil(4))
        .sum()
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn refuse<T>(sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(sentence.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::form_pairs;

    const RECOMMENDED: &str = "model=nova-3&language=en-US&encoding=mulaw&sample_rate=8000&channels=1\
        &interim_results=true&endpointing=300&utterance_end_ms=1000&vad_events=true&smart_format=true&numerals=true\
        &detect_entities=true&keyterm=refund&keyterm=cancel%20my%20account&mip_opt_out=true&tag=handoff\
        &extra=call:CA1&extra=speaker:caller";

    fn check(query: &str) -> Result<Listen, String> {
        check_query(&form_pairs(query).unwrap()).map_err(|refusal| refusal.0)
    }

    #[test]
    fn the_recommended_query_is_accepted() {
        let listen = check(RECOMMENDED).unwrap();
        assert_eq!(
            (listen.call.as_str(), listen.speaker),
            ("CA1", Some(Speaker::Caller))
        );
        assert_eq!(listen.bytes_per_second, 8000);
    }

    #[test]
    fn every_rule_accepts_one_query_and_refuses_another() {
        let long_keyterms = "&keyterm=abcdefgh".repeat(251);
        let fitting_keyterms = "&keyterm=abcdefgh".repeat(250);
        let raw = "encoding=mulaw&sample_rate=8000";
        let cases = [
            (
                raw.to_owned(),
                "encoding=mulaw".to_owned(),
                "raw audio needs both encoding and sample_rate",
            ),
            (
                raw.to_owned(),
                "encoding=ulaw&sample_rate=8000".to_owned(),
                "encoding ulaw does not exist",
            ),
            (
                raw.to_owned(),
                "encoding=mulaw&sample_rate=8".to_owned(),
                "sample_rate must be a number from 8000 to 48000",
            ),
            (
                format!("{raw}&channels=2&multichannel=true"),
                format!("{raw}&multichannel=true"),
                "multichannel needs channels of at least 2",
            ),
            (
                format!("{raw}&channels=1"),
                format!("{raw}&channels=0"),
                "channels must be a number from 1 to 20",
            ),
            (
                format!("{raw}&model=nova-2-phonecall"),
                format!("{raw}&model=nova-3-phonecall"),
                "model nova-3-phonecall does not exist",
            ),
            (
                format!("{raw}&tag=a"),
                format!("{raw}&tags=a"),
                "query parameter tags is unknown",
            ),
            (
                format!("{raw}&numerals=true"),
                format!("{raw}&sentiment=true"),
                "query parameter sentiment is not available for live audio",
            ),
            (
                format!("{raw}&vad_events=false"),
                format!("{raw}&vad_events=1"),
                "query parameter vad_events must be true or false",
            ),
            (
                format!("{raw}&language=en"),
                format!("{raw}&language="),
                "query parameter language is empty",
            ),
            (
                format!("{raw}&tag=a&tag=b"),
                format!("{raw}&language=en&language=de"),
                "query parameter language is given more than once",
            ),
            (
                format!("{raw}&extra=a:b"),
                format!("{raw}&extra=a"),
                "query parameter extra must be key:value",
            ),
            (
                format!("{raw}&endpointing=false"),
                format!("{raw}&endpointing=soon"),
                "endpointing must be false or a number of milliseconds",
            ),
            (
                format!("{raw}&interim_results=true&utterance_end_ms=1000"),
                format!("{raw}&utterance_end_ms=1000"),
                "utterance_end_ms needs interim_results=true",
            ),
            (
                format!("{raw}&interim_results=true&utterance_end_ms=1000"),
                format!("{raw}&interim_results=true&utterance_end_ms=999"),
                "utterance_end_ms must be at least 1000",
            ),
            (
                format!("{raw}&model=nova-3&keyterm=a"),
                format!("{raw}&model=nova-2&keyterm=a"),
                "keyterm needs a nova-3 model",
            ),
            (
                format!("{raw}&model=nova-3{fitting_keyterms}"),
                format!("{raw}&model=nova-3{long_keyterms}"),
                "keyterms come to about 502 tokens, 500 are allowed",
            ),
        ];
        for (good, bad, sentence) in cases {
            assert!(check(&good).is_ok(), "{good}: {:?}", check(&good));
            assert_eq!(check(&bad), Err(sentence.to_owned()), "{bad}");
        }
    }
}
