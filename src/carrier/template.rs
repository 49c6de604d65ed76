//! Texts with places in them, which the facts of a handoff fill.

use std::fmt;

use super::brief::Brief;

/// A text in which `{summary}` and the like stand for what is known of the handoff; `{{` and `}}` are
/// braces.
///
/// What is not known is left empty, so a text should read well without it.
#[derive(Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Handoff,
    Call,
    Caller,
    Called,
    Rule,
    Reason,
    Summary,
    Tried,
    Link,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name in braces that stands for nothing.
    #[error("{{{name}}} stands for nothing; did you mean {{{nearest}}}?")]
    Unknown {
        /// The name.
        name: String,
        /// The most similar one that does.
        nearest: &'static str,
    },
    /// A brace without its other half.
    #[error("a brace must be one of a pair around a name, or be doubled ({{{{ or }}}})")]
    Brace,
}

impl Place {
    const ALL: [Self; 9] = [
        Self::Handoff,
        Self::Call,
        Self::Caller,
        Self::Called,
        Self::Rule,
        Self::Reason,
        Self::Summary,
        Self::Tried,
        Self::Link,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Handoff => "handoff",
            Self::Call => "call",
            Self::Caller => "caller",
            Self::Called => "called",
            Self::Rule => "rule",
            Self::Reason => "reason",
            Self::Summary => "summary",
            Self::Tried => "tried",
            Self::Link => "link",
        }
    }

    fn filled(self, brief: &Brief) -> &str {
        let known = match self {
            Self::Handoff => Some(brief.handoff.as_str()),
            Self::Call => brief.call.as_ref().map(|call| call.as_str()),
            Self::Caller => brief.caller.as_ref().map(|caller| caller.expose().as_str()),
            Self::Called => brief.called.as_ref().map(|called| called.expose().as_str()),
            Self::Rule => brief.rule.as_deref(),
            Self::Reason => brief.reason.as_ref().map(|reason| reason.expose().as_str()),
            Self::Summary => (brief.summary.as_ref()).map(|summary| summary.expose().as_str()),
            Self::Tried => brief.tried.as_ref().map(|tried| tried.expose().as_str()),
            Self::Link => brief.link.as_deref(),
        };
        known.unwrap_or_default()
    }
}

impl Template {
    /// Reads a text with places in it.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] says what would be right.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let (name, after) = match brace {
                "{" => after.split_once('}').ok_or(TemplateError::Brace)?,
                _ => return Err(TemplateError::Brace),
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Place(place(name)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// Fills the places.
    pub fn render(&self, brief: &Brief) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Place(place) => place.filled(brief),
            })
            .collect()
    }

    /// The text, if no handoff changes it.
    pub fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// The text as it was written.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: String = (self.0.iter())
            .map(|piece| match piece {
                Piece::Text(text) => text.replace('{', "{{").replace('}', "}}"),
                Piece::Place(place) => format!("{{{}}}", place.name()),
            })
            .collect();
        write!(f, "{written:?}")
    }
}

fn place(name: &str) -> Result<Place, TemplateError> {
    let found = Place::ALL.into_iter().find(|place| place.name() == name);
    found.ok_or_else(|| {
        let nearest = (Place::ALL.into_iter())
            .map(Place::name)
            .min_by_key(|known| distance(name, known))
            .expect("there are places");
        TemplateError::Unknown {
            name: name.chars().take(40).collect(),
            nearest,
        }
    })
}

/// How many letters have to be added, dropped or changed to make one name of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, c) in one.chars().take(40).enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, &o) in other.iter().enumerate() {
            let changed = diagonal + usize::from(!c.eq_ignore_ascii_case(&o));
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use handoff_core::id::{CallId, HandoffId};
    use handoff_core::pii::Pii;
    use handoff_core::time::WallTime;

    use super::*;

    fn brief() -> Brief {
        let call = CallId::mint(WallTime(1_767_225_600_000), [7; 10]);
        Brief {
            call: Some(call.clone()),
            caller: Some(Pii::new("+15550100001".to_owned())),
            called: Some(Pii::new("+15550100002".to_owned())),
            rule: Some("caller_asks_for_human".to_owned()),
            reason: Some(Pii::new("asked for a human".to_owned())),
            summary: Some(Pii::new("A late {order}.".to_owned())),
            link: Some("https://bridge.example.com/h/1".to_owned()),
            ..Brief::of(HandoffId::nth(&call, 0))
        }
    }

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&match Template::parse(text) {
            Ok(template) => format!("{}|{:?}", template.render(&brief()), template.constant()),
            Err(error) => format!("refused: {error}"),
        });
    }

    #[test]
    fn places_are_filled_once() {
        check("", expect![[r#"|Some("")"#]]);
        check("as it is", expect![[r#"as it is|Some("as it is")"#]]);
        check(
            "{{{handoff}}}",
            expect!["{ho_01KDVDNA000W3GE1R70W3GE100}|None"],
        );
        check("{call}", expect!["call_01KDVDNA000W3GE1R70W3GE1R7|None"]);
        check(
            "{caller} → {called}: {rule}, {reason}. {summary} {link}",
            expect![
                "+15550100001 → +15550100002: caller_asks_for_human, asked for a human. A late {order}. https://bridge.example.com/h/1|None"
            ],
        );
        check("a{{b}}c", expect![[r#"a{b}c|Some("a{b}c")"#]]);
    }

    #[test]
    fn a_wrong_place_is_told_with_the_nearest_right_one() {
        check(
            "{sumary}",
            expect!["refused: {sumary} stands for nothing; did you mean {summary}?"],
        );
        check(
            "{HandOff_id}",
            expect!["refused: {HandOff_id} stands for nothing; did you mean {handoff}?"],
        );
        check(
            "{ caller }",
            expect!["refused: { caller } stands for nothing; did you mean {caller}?"],
        );
        check(
            "{}",
            expect!["refused: {} stands for nothing; did you mean {call}?"],
        );
        for brace in ["{caller", "caller}", "{", "}", "a {{caller} b"] {
            assert_eq!(Template::parse(brace), Err(TemplateError::Brace), "{brace}");
        }
    }

    #[test]
    fn what_is_not_known_is_empty() {
        let template = Template::parse("[{caller}{summary}{link}{call}]").expect("a template");
        let bare = Brief::of(brief().handoff);
        assert_eq!(template.render(&bare), "[]");
    }

    #[test]
    fn a_template_shows_as_it_was_written() {
        let template = Template::parse("{{a}} {summary}").expect("a template");
        assert_eq!(format!("{template:?}"), r#""{{a}} {summary}""#);
    }
}
