//! `[[target]]`: the ways to a human.

use std::collections::BTreeSet;

use handoff_core::id::Carrier;
use handoff_core::route::{self, Acceptance, Date, Hours, Joining, Metrics, TargetName};
use toml::Value;

use super::environment::Environment;
use super::figures::Figure;
use super::kind::{self, Kind};
use super::reader::{Problems, Section};
use crate::carrier::argument::RingSeconds;
use crate::carrier::target::Reach;
use crate::time_zone::TimeZone;

/// A `[[target]]`: a human, or several behind one number or queue.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Which kind it is in the configuration.
    pub kind: Kind,
    /// How it is reached. Not every carrier may be able to ([`Reach::possible_at`]).
    pub reach: Reach,
    /// How long it rings, or the caller waits in a queue.
    pub ring: RingSeconds,
    /// What shows that a human took the call.
    pub acceptance: Acceptance,
    /// Whether the human hears who calls, and why, before they have the caller.
    pub whisper: bool,
    /// What it is able to do. A route may ask for some.
    pub skills: BTreeSet<String>,
    /// When it is open. Without them it always is.
    pub opening: Option<Opening>,
    /// Its figures, until somebody tells newer ones.
    pub metrics: Metrics,
}

/// When a target is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// By the clock where it is.
    pub hours: Hours,
    /// Where that is.
    pub zone: TimeZone,
}

impl Target {
    /// How the carrier brings caller and human together.
    pub fn joining(&self) -> Joining {
        self.kind.joining()
    }

    /// What a decision needs to know of it.
    pub fn for_routes(&self) -> route::Target {
        route::Target {
            name: self.name.clone(),
            acceptance: self.acceptance,
            joining: self.joining(),
            skills: self.skills.clone(),
            hours: self.opening.as_ref().map(|opening| opening.hours.clone()),
            metrics: self.metrics,
        }
    }

    /// What rings if all of ours is gone. Every default target has it, on every configured carrier.
    pub fn without_us(&self, carrier: Carrier) -> Option<Reach> {
        let reach = self.reach.without_us()?;
        reach.possible_at(carrier).is_ok().then_some(reach)
    }

    /// Reads all targets; the one that calls go to by default comes first.
    pub(super) fn read_all(
        sections: Vec<Section<'_>>,
        handoff: &mut Section<'_>,
        around: &Around<'_, '_>,
        problems: &mut Problems,
        notes: &mut Vec<String>,
    ) -> Targets {
        let default_ring = ring(handoff, problems);
        let wanted = handoff.text("target", problems);
        if sections.is_empty() {
            problems.add(
                "target",
                "no human to hand calls to; add a [[target]] with name and number, or set \
                 HANDOFF_TARGET to a number like +15550100042",
            );
        }
        let mut names = Vec::new();
        let mut found: Vec<Option<Self>> = sections
            .into_iter()
            .map(|section| {
                let reading = Reading {
                    section,
                    default_ring,
                    around,
                };
                reading.read(&mut names, problems)
            })
            .collect();
        if !wanted.is_empty() && !names.is_empty() {
            match names.iter().position(|name| *name == wanted) {
                Some(place) => {
                    found[..=place].rotate_right(1);
                    names[..=place].rotate_right(1);
                }
                None => problems.add(
                    handoff.path("target"),
                    format!("there is no [[target]] named \"{wanted}\""),
                ),
            }
        }
        check_carriers(&found, around.carriers, problems, notes);
        Targets {
            all_usable: found.iter().all(Option::is_some),
            targets: found.into_iter().flatten().collect(),
        }
    }
}

/// What was read of all `[[target]]`s.
pub(super) struct Targets {
    /// Those that can be used, the default first.
    pub(super) targets: Vec<Target>,
    /// Whether there are no others, so that a name that is missing is a mistake of who wrote it.
    pub(super) all_usable: bool,
}

/// What else of the configuration a `[[target]]` depends on.
pub(super) struct Around<'a, 'e> {
    /// Where passwords are.
    pub(super) env: &'a Environment<'e>,
    /// The carriers that are configured.
    pub(super) carriers: &'a [Carrier],
}

/// Every target has to be possible somewhere, and the default one everywhere and without us.
fn check_carriers(
    found: &[Option<Target>],
    carriers: &[Carrier],
    problems: &mut Problems,
    notes: &mut Vec<String>,
) {
    for (nth, target) in found.iter().enumerate() {
        let Some(target) = target else { continue };
        let path = format!("target[{}].kind", target.name);
        let impossible: Vec<_> = (carriers.iter())
            .filter_map(|carrier| Some((*carrier, target.reach.possible_at(*carrier).err()?)))
            .collect();
        if let [(_, why), ..] = impossible.as_slice()
            && impossible.len() == carriers.len()
        {
            problems.add(path, why.to_string());
        } else if nth == 0
            && let Some(carrier) =
                (carriers.iter().copied()).find(|c| target.without_us(*c).is_none())
        {
            let (kind, carrier) = (target.kind.as_str(), label(carrier));
            problems.add(
                path,
                format!(
                    "\"{kind}\" cannot be the default target: when all of ours is gone, {carrier} \
                     has to ring it by itself, and cannot; add a [[target]] of kind \"number\" \
                     and name it in handoff.target"
                ),
            );
        } else {
            notes.extend(impossible.iter().map(|(carrier, why)| {
                let (name, carrier) = (&target.name, label(*carrier));
                format!("target \"{name}\" is passed over for calls at {carrier}: {why}")
            }));
        }
    }
}

fn label(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Twilio => "Twilio",
        Carrier::Plivo => "Plivo",
    }
}

/// One `[[target]]` being read.
struct Reading<'a, 'r, 'e> {
    section: Section<'a>,
    default_ring: Option<RingSeconds>,
    around: &'r Around<'r, 'e>,
}

impl Reading<'_, '_, '_> {
    /// Adds the target's name to `names`, which says where it stands even if it cannot be used.
    fn read(mut self, names: &mut Vec<String>, problems: &mut Problems) -> Option<Target> {
        let name = self.name(names, problems);
        let kind = match self.section.optional_text("kind", problems) {
            None => Some(Kind::default()),
            Some(text) => problems.keep(self.section.path("kind"), Kind::parse(&text)),
        };
        let ring = match self.section.has("ring") {
            true => ring(&mut self.section, problems),
            // In a queue it is the caller who waits, for as long as others are served.
            false if kind.is_some_and(|kind| kind.joining() == Joining::Queue) => {
                Some(RingSeconds::LONGEST)
            }
            false => self.default_ring,
        };
        let skills = skills(&mut self.section, problems);
        let opening = self.opening(problems);
        let metrics = self.metrics(problems);
        // Which keys there are depends on the kind, so that without it none can be judged.
        let kind = kind?;
        let secrets = kind::Secrets {
            env: self.around.env,
            target: name.as_ref(),
        };
        let reach = kind.read(&mut self.section, &secrets, problems);
        let (acceptance, whisper) = self.taking(kind, problems);
        self.section.finish(problems);
        Some(Target {
            name: name?,
            kind,
            reach: reach?,
            ring: ring?,
            acceptance,
            whisper,
            skills,
            opening: opening?,
            metrics,
        })
    }

    fn name(&mut self, names: &mut Vec<String>, problems: &mut Problems) -> Option<TargetName> {
        let text = self.section.text("name", problems);
        let path = self.section.path("name");
        let is_taken = names.contains(&text);
        names.push(text.clone());
        if text.is_empty() {
            problems.add(path, "is not set; routes and tickets name the target");
            return None;
        }
        if is_taken {
            problems.add(
                path,
                "is the name of another target too (HANDOFF_TARGET is named \"default\")",
            );
            return None;
        }
        let name = TargetName::parse(&text);
        problems.keep(path, name.map_err(|error| format!("is {error}")))
    }

    /// How the human takes the call, and what they hear before.
    fn taking(&mut self, kind: Kind, problems: &mut Problems) -> (Acceptance, bool) {
        let accept = self.section.optional_text("accept", problems);
        let path = self.section.path("accept");
        let acceptance = match accept.as_deref() {
            None => kind.acceptance(),
            Some("answer") => Acceptance::Answer,
            Some("key") if kind.can_whisper() => Acceptance::Key,
            Some("key") => {
                let kind = kind.as_str();
                problems.add(
                    path,
                    format!(
                        "\"key\" needs somebody to be asked, and kind \"{kind}\" leaves that to \
                         others; write \"answer\" or leave it out"
                    ),
                );
                Acceptance::Answer
            }
            Some(other) => {
                problems.add(path, format!("\"{other}\" must be \"key\" or \"answer\""));
                kind.acceptance()
            }
        };
        let whisper = (self.section).flag("whisper", kind.can_whisper(), problems);
        let path = self.section.path("whisper");
        if whisper && !kind.can_whisper() {
            let kind = kind.as_str();
            problems.add(
                path,
                format!("cannot be played to who takes a call of kind \"{kind}\"; leave it out"),
            );
        } else if !whisper && acceptance == Acceptance::Key {
            problems.add(
                path,
                "is where the human is asked for the key; leave it out, or set accept = \"answer\"",
            );
        }
        (acceptance, whisper)
    }

    /// `None` if what is set cannot be used.
    fn opening(&mut self, problems: &mut Problems) -> Option<Option<Opening>> {
        let hours = self.section.optional_text("hours", problems);
        let zone = self.section.optional_text("time_zone", problems);
        let closed = self.closed(problems);
        let Some(hours) = hours else {
            for key in ["closed", "time_zone"] {
                if self.section.has(key) {
                    problems.add(
                        self.section.path(key),
                        "is set without hours; write hours = \"24/7\" if it is open otherwise",
                    );
                }
            }
            return Some(None);
        };
        let hours = problems.keep(self.section.path("hours"), Hours::parse(&hours));
        let zone = TimeZone::parse(&zone.unwrap_or_default());
        let zone = problems.keep(self.section.path("time_zone"), zone);
        let mut hours = hours?;
        hours.closed = closed?;
        Some(Some(Opening { hours, zone: zone? }))
    }

    /// TOML has dates of its own, which print as the text would.
    fn closed(&mut self, problems: &mut Problems) -> Option<BTreeSet<Date>> {
        let path = self.section.path("closed");
        let Some(value) = self.section.value("closed") else {
            return Some(BTreeSet::new());
        };
        let Value::Array(days) = value else {
            problems.add(path, "must be a list of dates, like [\"2026-12-25\"]");
            return None;
        };
        let mut closed = BTreeSet::new();
        let mut all_read = true;
        for day in days {
            let written = match day.as_str() {
                Some(text) => text.to_owned(),
                None => day.to_string(),
            };
            match Date::parse(&written) {
                Ok(day) => {
                    closed.insert(day);
                }
                Err(error) => {
                    problems.add(path.clone(), format!("\"{written}\" is wrong: {error}"));
                    all_read = false;
                }
            }
        }
        all_read.then_some(closed)
    }

    fn metrics(&mut self, problems: &mut Problems) -> Metrics {
        let mut figure = |figure: Figure| {
            let key = figure.as_str();
            let path = self.section.path(key);
            let value = self.section.value(key)?;
            let whole = value.as_integer().map(|whole| whole as f64);
            let value = value.as_float().or(whole).unwrap_or(f64::NAN);
            problems.keep(path, figure.check(value))
        };
        Metrics {
            handle_seconds: figure(Figure::HandleSeconds),
            csat: figure(Figure::Csat),
            wait_seconds: figure(Figure::WaitSeconds),
        }
    }
}

/// Reads the skills of a target or a route.
pub(super) fn skills(section: &mut Section<'_>, problems: &mut Problems) -> BTreeSet<String> {
    let skills: BTreeSet<String> = section.texts("skills", problems).into_iter().collect();
    if skills
        .iter()
        .any(|skill| skill.is_empty() || skill.trim() != skill)
    {
        problems.add(
            section.path("skills"),
            "must be words without a space around them, like [\"billing\", \"german\"]",
        );
    }
    skills
}

fn ring(section: &mut Section<'_>, problems: &mut Problems) -> Option<RingSeconds> {
    let ring = section.unbounded_duration("ring", problems)?;
    let seconds = u16::try_from(ring.as_secs()).unwrap_or(u16::MAX);
    problems.keep(section.path("ring"), RingSeconds::new(seconds))
}
