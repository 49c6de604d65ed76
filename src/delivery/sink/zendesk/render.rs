//! The ticket and its notes, as Zendesk takes them.
//!
//! Notes are `html_body` with `public: false`: Zendesk's default is a public comment, which would
//! mail our words to the caller.

use handoff_core::call::TriggerSource;
use handoff_core::context::HandoffContext;
use serde::Serialize;

use super::html::escaped;
use super::options::{CustomField, FieldValue, PriorityWhen, Requester, ZendeskOptions};
use crate::delivery::sink::cut;
use crate::delivery::sink::wording::{self, Said};
use crate::email;

const REASON_CHARACTERS: usize = 500;
const SUMMARY_CHARACTERS: usize = 2_000;
const EXHIBITS: usize = 5;
const EXHIBIT_CHARACTERS: usize = 500;
const VALUE_CHARACTERS: usize = 200;
const LINE_CHARACTERS: usize = 1_000;
/// Lines of the transcript in a note that has the whole of it attached.
const LINES_BESIDE_ATTACHMENT: usize = 40;
/// Zendesk's tags have no spaces; the length is ours, to keep them legible.
const TAG_CHARACTERS: usize = 80;

#[derive(Serialize)]
struct Body<'a> {
    ticket: Ticket<'a>,
}

#[derive(Serialize)]
struct Ticket<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requester: Option<RequesterBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    custom_fields: Vec<FieldBody>,
    comment: Comment<'a>,
}

#[derive(Serialize)]
struct RequesterBody {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

#[derive(Serialize)]
struct FieldBody {
    id: u64,
    value: String,
}

#[derive(Serialize)]
struct Comment<'a> {
    public: bool,
    html_body: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uploads: Vec<&'a str>,
}

/// Renders the body of `POST /api/v2/tickets`. `upload` is the token of the uploaded transcript.
pub(super) fn create(
    options: &ZendeskOptions,
    context: &HandoffContext,
    upload: Option<&str>,
) -> String {
    let ticket = Ticket {
        subject: Some(subject(options, context)),
        external_id: Some(context.trigger.handoff.as_str()),
        requester: Some(requester(options, context)),
        priority: Some(priority(options, context)),
        tags: tags(options, context),
        custom_fields: custom_fields(options, context, |_| true),
        comment: Comment {
            public: false,
            html_body: opening_note(options, context, upload.is_some()),
            uploads: upload.into_iter().collect(),
        },
    };
    written(&Body { ticket })
}

/// Renders the body of `PUT /api/v2/tickets/{id}`. Tags are left out, because an update replaces
/// the whole set and with it what people added.
pub(super) fn update(
    options: &ZendeskOptions,
    context: &HandoffContext,
    upload: Option<&str>,
) -> String {
    let ticket = Ticket {
        subject: None,
        external_id: None,
        requester: None,
        priority: None,
        tags: Vec::new(),
        custom_fields: custom_fields(options, context, |value| *value == FieldValue::Disposition),
        comment: Comment {
            public: false,
            html_body: later_note(context, upload.is_some()),
            uploads: upload.into_iter().collect(),
        },
    };
    written(&Body { ticket })
}

fn written(body: &Body<'_>) -> String {
    serde_json::to_string(body).expect("strings, numbers and lists always serialize")
}

/// What a note ends with, so that it can be found again among a ticket's comments.
pub(super) fn marker(context: &HandoffContext) -> String {
    format!(
        "Reference {} revision {}",
        context.trigger.handoff, context.revision
    )
}

/// The attachment's bytes: the transcript, without its beginning where it is too long.
pub(super) fn attachment(options: &ZendeskOptions, context: &HandoffContext) -> String {
    let text = wording::transcript(context);
    let limit = options.limits.attachment_bytes;
    if text.len() <= limit {
        return text;
    }
    const POINTER: &str = "[the beginning is cut off]\n";
    let from = text.ceil_char_boundary(text.len() - limit.saturating_sub(POINTER.len()));
    format!("{POINTER}{}", &text[from..])
}

fn subject(options: &ZendeskOptions, context: &HandoffContext) -> String {
    // The reason is cut on its own, so that a long one cannot push the caller out.
    let whole = format!(
        "Caller needs a human: {} ({})",
        cut::characters(&wording::reason(&context.trigger), 80),
        cut::characters(&wording::party(&context.caller), 40),
    );
    cut::characters(
        &without_placeholders(&whole),
        options.limits.subject_characters,
    )
}

/// Zendesk fills `{{dc.…}}` in subjects and fields; a caller's words are none of its placeholders.
fn without_placeholders(text: &str) -> String {
    text.replace("{{", "{ {")
}

fn requester(options: &ZendeskOptions, context: &HandoffContext) -> RequesterBody {
    match &options.requester {
        Requester::Fixed { name, email } => RequesterBody {
            name: name.clone(),
            email: Some(email.clone()),
        },
        Requester::Caller {
            name_parameter,
            email_parameter,
        } => {
            let given = |name: &Option<String>| {
                let value = context.parameters.get(name.as_ref()?)?;
                Some(wording::line(value.expose())).filter(|value| !value.is_empty())
            };
            let name = given(name_parameter)
                .unwrap_or_else(|| format!("Caller {}", wording::party(&context.caller)));
            RequesterBody {
                name: cut::characters(&without_placeholders(&name), VALUE_CHARACTERS),
                email: given(email_parameter).filter(|email| email::is_address(email)),
            }
        }
    }
}

fn priority(options: &ZendeskOptions, context: &HandoffContext) -> &'static str {
    let applies = |when: &PriorityWhen| match when {
        PriorityWhen::SentimentBelow(level) => context
            .sentiment
            .is_some_and(|sentiment| sentiment < *level),
        PriorityWhen::Rule(name) => match &context.trigger.source {
            TriggerSource::Rule(rule) => rule == name,
            TriggerSource::Api { reason: _ } => false,
        },
    };
    options
        .priority
        .steps
        .iter()
        .find(|step| applies(&step.when))
        .map_or(options.priority.otherwise, |step| step.priority)
        .as_str()
}

fn tags(options: &ZendeskOptions, context: &HandoffContext) -> Vec<String> {
    let mut tags: Vec<String> = options
        .tags
        .iter()
        .map(|configured| tag(configured))
        .collect();
    tags.push(tag(&format!(
        "reason_{}",
        wording::reason_tag(&context.trigger)
    )));
    if wording::is_approximate(context) {
        tags.push("approximate_transcript".to_owned());
    }
    tags.retain(|tag| !tag.is_empty());
    tags
}

fn tag(text: &str) -> String {
    text.chars()
        .take(TAG_CHARACTERS)
        .flat_map(char::to_lowercase)
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '_' | '-' | '/') {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn custom_fields(
    options: &ZendeskOptions,
    context: &HandoffContext,
    wanted: impl Fn(&FieldValue) -> bool,
) -> Vec<FieldBody> {
    let body = |field: &CustomField| {
        let value = field_value(&field.value, context)?;
        let value = cut::characters(&without_placeholders(&value), SUMMARY_CHARACTERS);
        (!value.is_empty()).then_some(FieldBody {
            id: field.id,
            value,
        })
    };
    options
        .custom_fields
        .iter()
        .filter(|field| wanted(&field.value))
        .filter_map(body)
        .collect()
}

fn field_value(value: &FieldValue, context: &HandoffContext) -> Option<String> {
    match value {
        FieldValue::HandoffId => Some(context.trigger.handoff.to_string()),
        FieldValue::CallId => Some(context.call.to_string()),
        FieldValue::CarrierCallId => Some(wording::line(&context.carrier_call.0)),
        FieldValue::Caller => Some(wording::party(&context.caller)),
        FieldValue::Called => Some(wording::party(&context.called)),
        FieldValue::Sentiment => context.sentiment.map(|level| format!("{level:.2}")),
        FieldValue::Reason => Some(wording::reason(&context.trigger)),
        FieldValue::Digits => Some(wording::line(context.digits.expose())),
        FieldValue::Summary => Some(wording::line(context.summary.expose())),
        FieldValue::Disposition => context.disposition.map(|end| end.as_str().to_owned()),
        FieldValue::Parameter(name) => context
            .parameters
            .get(name)
            .map(|value| wording::line(value.expose())),
    }
}

fn opening_note(options: &ZendeskOptions, context: &HandoffContext, attached: bool) -> String {
    let mut note = format!(
        "<p><b>Why a human</b><br>{}</p>",
        escaped(&wording::reason(&context.trigger), REASON_CHARACTERS)
    );
    for exhibit in wording::exhibits(&context.trigger).iter().take(EXHIBITS) {
        note.push_str(&format!(
            "<blockquote>{}: {}</blockquote>",
            exhibit.place,
            escaped(&exhibit.text, EXHIBIT_CHARACTERS)
        ));
    }
    note.push_str(&summary(context));
    note.push_str(&format!(
        "<ul><li><b>Caller</b> {}</li><li><b>Called</b> {}</li><li><b>Call accepted</b> {}</li>{}<li><b>Carrier's call id</b> {}</li></ul>",
        escaped(&wording::party(&context.caller), VALUE_CHARACTERS),
        escaped(&wording::party(&context.called), VALUE_CHARACTERS),
        wording::instant(context.accepted),
        measures(context),
        escaped(&context.carrier_call.0, VALUE_CHARACTERS),
    ));
    let end = format!("<p>{}</p>", marker(context));
    let budget = options
        .limits
        .comment_bytes
        .saturating_sub(note.len() + end.len());
    note.push_str(&excerpt(context, budget, attached));
    note.push_str(&end);
    note
}

fn later_note(context: &HandoffContext, attached: bool) -> String {
    let mut note = match context.disposition {
        Some(end) => format!(
            "<p><b>The call has ended</b><br>{}</p>",
            wording::disposition(end)
        ),
        None => "<p><b>The call goes on</b><br>More is known than when it was handed over.</p>"
            .to_owned(),
    };
    note.push_str(&summary(context));
    let measures = measures(context);
    if !measures.is_empty() {
        note.push_str(&format!("<ul>{measures}</ul>"));
    }
    let course: String = (wording::course(context).iter())
        .map(|line| format!("<li>{}</li>", escaped(line, VALUE_CHARACTERS)))
        .collect();
    if !course.is_empty() {
        note.push_str(&format!("<p><b>Who was tried</b></p><ul>{course}</ul>"));
    }
    if attached {
        note.push_str("<p>More was said since. The whole transcript is attached.</p>");
    }
    note.push_str(&format!("<p>{}</p>", marker(context)));
    note
}

fn summary(context: &HandoffContext) -> String {
    let summary = wording::line(context.summary.expose());
    if summary.is_empty() {
        return String::new();
    }
    format!(
        "<p><b>Summary</b><br>{}</p>",
        escaped(&summary, SUMMARY_CHARACTERS)
    )
}

fn measures(context: &HandoffContext) -> String {
    let mut items = String::new();
    if let Some(sentiment) = wording::sentiment(context) {
        items.push_str(&format!("<li><b>Sentiment</b> {sentiment}</li>"));
    }
    let digits = wording::line(context.digits.expose());
    if !digits.is_empty() {
        let digits = escaped(&digits, VALUE_CHARACTERS);
        items.push_str(&format!("<li><b>Keys</b> {digits}</li>"));
    }
    items
}

/// The end of the transcript, as much as fits, with a pointer to the rest.
fn excerpt(context: &HandoffContext, budget: usize, attached: bool) -> String {
    if context.transcript.is_empty() {
        return "<p>Nothing was transcribed.</p>".to_owned();
    }
    let approximate = match wording::is_approximate(context) {
        true => format!("<br>~ {}", wording::APPROXIMATE),
        false => String::new(),
    };
    let head = format!("<p><b>Transcript</b>{approximate}</p>");
    let skipped = match attached {
        true => context
            .transcript
            .len()
            .saturating_sub(LINES_BESIDE_ATTACHMENT),
        false => 0,
    };
    let lines: Vec<String> = context.transcript[skipped..]
        .iter()
        .map(|line| {
            let said = Said::of(line);
            let text = escaped(&said.text, LINE_CHARACTERS);
            format!("{} <b>{}</b> {text}{}<br>", said.at, said.who, said.remark)
        })
        .collect();
    const FRAME_BYTES: usize = 200;
    let budget = budget.saturating_sub(head.len() + FRAME_BYTES);
    let (dropped, lines) = cut::tail(lines, budget, String::len);
    let pointer = match (skipped + dropped, attached) {
        (0, true) => "<p>Also attached as transcript.txt.</p>".to_owned(),
        (0, false) => String::new(),
        (omitted, true) => format!(
            "<p><b>{omitted} earlier lines are left out here: see the attached transcript.txt.</b></p>"
        ),
        (omitted, false) => format!(
            "<p><b>{omitted} earlier lines are left out: the transcript could not be attached.</b></p>"
        ),
    };
    format!("{head}{pointer}<p>{}</p>", lines.concat())
}
