//! The document that moves a live call to a human.

use super::noun::{LegUrls, rung};
use super::task;
use super::verb::{dial_attributes, response, say};
use crate::carrier::document::{Acceptance, Document, Handoff};
use crate::carrier::markup::Xml;
use crate::carrier::target::{Reach, SipTarget};
use crate::carrier::template::Template;
use crate::carrier::twilio::rest::INLINE_LIMIT_CHARS;
use crate::carrier::twilio::sid::WorkflowSid;
use crate::carrier::twilio::sip;

/// Builds the document that moves the caller to a human. Nothing follows the verb that does it: its action
/// URL decides.
///
/// In a conference the caller waits for a human who is called apart
/// ([`create_call`](crate::carrier::twilio::rest::create_call)) and joins with [`conference_accepted`], so
/// that nothing here ends the wait: whoever gave this document has to.
///
/// [`conference_accepted`]: super::conference_accepted
pub fn handoff_document(handoff: &Handoff<'_>) -> Document {
    let attributes = match handoff.reach {
        Reach::TaskRouter { .. } => task::attributes(handoff.brief, task_room(handoff)),
        Reach::Number { .. }
        | Reach::Sip(_)
        | Reach::Refer(_)
        | Reach::Queue(_)
        | Reach::Client { .. }
        | Reach::User(_)
        | Reach::Conference { .. }
        | Reach::MultiPartyCall { .. } => String::new(),
    };
    written(handoff, &attributes)
}

/// How many characters a task's attributes may have for the document to travel in the request that rewrites
/// the call, so that nobody has to be there when Twilio would fetch it.
fn task_room(handoff: &Handoff<'_>) -> usize {
    let around = written(handoff, "").as_str().chars().count();
    INLINE_LIMIT_CHARS.saturating_sub(around)
}

fn written(handoff: &Handoff<'_>, task: &str) -> Document {
    response(|xml| {
        say(xml, handoff.announcement, handoff.voice);
        match handoff.reach {
            Reach::Number { .. } | Reach::Sip(_) | Reach::User(_) | Reach::Client { .. } => {
                dial(xml, handoff);
            }
            Reach::Refer(target) => refer(xml, handoff, target),
            Reach::Queue(name) => {
                let content = |xml: &mut Xml| xml.text(name.as_str());
                enqueue(xml, handoff, None, content);
            }
            Reach::TaskRouter { workflow, priority } => {
                task_router(xml, handoff, workflow, *priority, task);
            }
            Reach::Conference { .. } | Reach::MultiPartyCall { .. } => conference(xml, handoff),
        }
    })
}

fn dial(xml: &mut Xml, handoff: &Handoff<'_>) {
    let ring = handoff.ring.get().to_string();
    let attributes = dial_attributes(&ring, handoff.caller_id.as_ref()).chain(asking(handoff));
    let has_whisper = match handoff.acceptance {
        Acceptance::Key => true,
        Acceptance::Answer => handoff.whisper,
    };
    let urls = LegUrls {
        whisper: has_whisper.then_some(&handoff.urls.whisper),
        status: &handoff.urls.leg,
    };
    xml.element("Dial", attributes, |xml| {
        rung(xml, handoff.reach, Some(&urls), filling(handoff));
    });
}

fn refer(xml: &mut Xml, handoff: &Handoff<'_>, target: &SipTarget) {
    xml.element("Refer", asking(handoff), |xml| {
        xml.element("Sip", [], |xml| {
            xml.text(&sip::address(target, filling(handoff)));
        });
    });
}

fn enqueue(
    xml: &mut Xml,
    handoff: &Handoff<'_>,
    workflow: Option<&WorkflowSid>,
    content: impl FnOnce(&mut Xml),
) {
    let workflow = workflow.map(|sid| ("workflowSid", sid.as_str()));
    let attributes = (workflow.into_iter()).chain(asking(handoff)).chain([
        ("waitUrl", handoff.urls.wait.as_str()),
        ("waitUrlMethod", "POST"),
    ]);
    xml.element("Enqueue", attributes, content);
}

fn task_router(
    xml: &mut Xml,
    handoff: &Handoff<'_>,
    workflow: &WorkflowSid,
    priority: Option<u32>,
    task: &str,
) {
    let priority = priority.map(|priority| priority.to_string());
    // Nobody may take a task whose caller was led out of the queue.
    let timeout = handoff.ring.get().to_string();
    enqueue(xml, handoff, Some(workflow), |xml| {
        let attributes = (priority.iter())
            .map(|priority| ("priority", priority.as_str()))
            .chain([("timeout", timeout.as_str())]);
        xml.element("Task", attributes, |xml| {
            xml.text(task);
        });
    });
}

/// Without a wait URL Twilio plays its own music at once, and a recording it fetches itself, whatever
/// becomes of us. Nobody is alone in a
/// conference that has begun, so the caller may begin it as well as the human: whether one of the two has
/// to, or both, is told differently by different pages.
fn conference(xml: &mut Xml, handoff: &Handoff<'_>) {
    let attributes = [
        ("beep", "false"),
        ("startConferenceOnEnter", "true"),
        ("endConferenceOnExit", "true"),
        ("participantLabel", "caller"),
    ];
    let music = (handoff.urls.music.iter())
        .flat_map(|url| [("waitUrl", url.as_str()), ("waitMethod", "GET")]);
    xml.element("Dial", asking(handoff), |xml| {
        xml.element("Conference", attributes.into_iter().chain(music), |xml| {
            xml.text(handoff.room.as_str());
        });
    });
}

fn asking<'a>(handoff: &'a Handoff<'_>) -> [(&'a str, &'a str); 2] {
    [("action", handoff.urls.after.as_str()), ("method", "POST")]
}

fn filling(handoff: &Handoff<'_>) -> impl Fn(&Template) -> Option<String> {
    |template| Some(template.render(handoff.brief))
}
