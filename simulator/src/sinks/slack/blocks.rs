//! Block Kit limits, and the search for text that a caller could have injected.
//!
//! Limits: `slack_sdk/models/blocks` of slackapi/python-slack-sdk at ae87985; the total over all blocks
//! is not documented, slackapi/bolt-js issue 2509 found it near 13 200 characters (read 2026-11-21).

use serde_json::Value;

const BLOCKS_LIMIT: usize = 50;
const TOTAL_LIMIT: usize = 13_200;
const TYPES: &[&str] = &[
    "actions",
    "alert",
    "call",
    "card",
    "carousel",
    "context",
    "context_actions",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "plan",
    "rich_text",
    "section",
    "table",
    "task_card",
    "video",
];

/// What is looked for in text that Slack would read as markup.
///
/// Callers choose words, so a mention or link in what they said must arrive escaped (`&lt;`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Beginnings that must not appear.
    pub forbidden: Vec<String>,
    /// Links that begin with one of these are the sender's own and may.
    pub own_links: Vec<String>,
}

impl Default for Probe {
    fn default() -> Self {
        let forbidden = ["<!channel", "<!here", "<!everyone", "<!subteam", "<http"]
            .map(str::to_owned)
            .to_vec();
        Self {
            forbidden,
            own_links: Vec::new(),
        }
    }
}

impl Probe {
    /// The first forbidden beginning that text contains.
    pub fn find(&self, text: &str) -> Option<&str> {
        let is_own = |link: &str| {
            self.own_links
                .iter()
                .any(|own| link.starts_with(own.as_str()))
        };
        let hit = |forbidden: &&String| {
            text.match_indices(forbidden.as_str())
                .any(|(at, _)| !is_own(&text[at + 1..]))
        };
        self.forbidden.iter().find(hit).map(String::as_str)
    }
}

/// What was found wrong with a message's blocks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BlockFindings {
    /// One sentence for each limit that is exceeded.
    pub problems: Vec<String>,
    /// Whether it is only the total that is too long.
    pub too_long: bool,
}

/// Checks blocks against the documented limits.
pub fn check_blocks(blocks: &Value) -> BlockFindings {
    let mut findings = BlockFindings::default();
    let Some(blocks) = blocks.as_array() else {
        findings.problems.push("blocks is not an array".to_owned());
        return findings;
    };
    if blocks.len() > BLOCKS_LIMIT {
        findings.problems.push(format!(
            "a message has {} blocks, {BLOCKS_LIMIT} are allowed",
            blocks.len()
        ));
    }
    let mut ids = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let mut check = Check {
            problems: &mut findings.problems,
            place: format!("blocks[{index}]"),
        };
        check.block(block);
        if let Some(id) = block["block_id"].as_str() {
            if ids.contains(&id) {
                check.problem("block_id", "is used twice in the message");
            }
            ids.push(id);
        }
    }
    let total: usize = blocks.iter().map(text_length).sum();
    findings.too_long = findings.problems.is_empty() && total > TOTAL_LIMIT;
    if findings.too_long {
        findings.problems.push(format!(
            "the blocks come to {total} characters, about {TOTAL_LIMIT} are accepted"
        ));
    }
    findings
}

/// Every text that Slack would read as markup.
pub(super) fn markup_texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| markup_texts(item, found)),
        Value::Object(members) => {
            let is_markup = matches!(
                members.get("type").and_then(Value::as_str),
                Some("mrkdwn" | "markdown")
            );
            if let (true, Some(text)) = (is_markup, members.get("text").and_then(Value::as_str)) {
                found.push(text.to_owned());
            }
            members
                .values()
                .for_each(|member| markup_texts(member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text_length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(text_length).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| match member.as_str() {
                Some(text) if name == "text" => text.chars().count(),
                Some(_) | None => text_length(member),
            })
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

struct Check<'a> {
    problems: &'a mut Vec<String>,
    place: String,
}

impl Check<'_> {
    fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{}.{name} {what}", self.place));
    }

    fn block(&mut self, block: &Value) {
        let kind = block["type"].as_str().unwrap_or_default();
        if !TYPES.contains(&kind) {
            self.problem("type", "is not a block type");
        }
        self.limit(block, "block_id", 255);
        match kind {
            "section" => self.section(block),
            "header" => self.text_object(&block["text"], "text", 150, &["plain_text"]),
            "actions" => self.elements(block, 25),
            "context" => self.elements(block, 10),
            "markdown" => self.required(block, "text", 12_000),
            "image" => {
                self.required(block, "alt_text", 2000);
                self.limit(block, "image_url", 3000);
            }
            _ => {}
        }
    }

    fn section(&mut self, block: &Value) {
        if block["text"].is_null() && block["fields"].is_null() {
            self.problem("text", "and fields are both missing");
        }
        if !block["text"].is_null() {
            self.text_object(&block["text"], "text", 3000, &["plain_text", "mrkdwn"]);
        }
        if let Some(fields) = block["fields"].as_array() {
            if fields.is_empty() || fields.len() > 10 {
                self.problem("fields", "must have 1 to 10 items");
            }
            for (index, field) in fields.iter().enumerate() {
                self.text_object(
                    field,
                    &format!("fields[{index}]"),
                    2000,
                    &["plain_text", "mrkdwn"],
                );
            }
        } else if !block["fields"].is_null() {
            self.problem("fields", "is not an array");
        }
        if block["accessory"].is_object() {
            self.element(&block["accessory"], "accessory");
        }
    }

    fn elements(&mut self, block: &Value, limit: usize) {
        let Some(elements) = block["elements"]
            .as_array()
            .filter(|elements| (1..=limit).contains(&elements.len()))
        else {
            self.problem("elements", &format!("must have 1 to {limit} items"));
            return;
        };
        let mut ids = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            self.element(element, &format!("elements[{index}]"));
            if let Some(id) = element["action_id"].as_str() {
                if ids.contains(&id) {
                    self.problem("elements", "has an action_id twice");
                }
                ids.push(id);
            }
        }
    }

    fn element(&mut self, element: &Value, name: &str) {
        let place = format!("{}.{name}", self.place);
        let mut check = Check {
            problems: self.problems,
            place,
        };
        check.limit(element, "action_id", 255);
        match element["type"].as_str() {
            Some("button") => {
                check.text_object(&element["text"], "text", 75, &["plain_text"]);
                check.limit(element, "url", 3000);
                check.limit(element, "value", 2000);
                if !matches!(element["style"].as_str(), None | Some("primary" | "danger")) {
                    check.problem("style", "must be primary or danger");
                }
            }
            Some("plain_text" | "mrkdwn") => {
                check.text_object(element, "text", 3000, &["plain_text", "mrkdwn"])
            }
            Some(_) => {}
            None => check.problem("type", "is missing"),
        }
        if let Some(options) = element["options"].as_array() {
            options
                .iter()
                .for_each(|option| check.limit(option, "value", 150));
        }
        let confirm = &element["confirm"];
        if confirm.is_object() {
            check.text_object(&confirm["title"], "confirm.title", 100, &["plain_text"]);
            check.text_object(
                &confirm["text"],
                "confirm.text",
                300,
                &["plain_text", "mrkdwn"],
            );
        }
    }

    fn text_object(&mut self, object: &Value, name: &str, limit: usize, kinds: &[&str]) {
        if !object["type"]
            .as_str()
            .is_some_and(|kind| kinds.contains(&kind))
        {
            self.problem(
                name,
                &format!("must be a text object of type {}", kinds.join(" or ")),
            );
            return;
        }
        let length = object["text"]
            .as_str()
            .map_or(0, |text| text.chars().count());
        if length == 0 || length > limit {
            self.problem(
                name,
                &format!("must have 1 to {limit} characters, it has {length}"),
            );
        }
    }

    fn required(&mut self, object: &Value, name: &str, limit: usize) {
        if object[name].as_str().is_none_or(str::is_empty) {
            self.problem(name, "is missing");
        }
        self.limit(object, name, limit);
    }

    fn limit(&mut self, object: &Value, name: &str, limit: usize) {
        let length = object[name].as_str().map_or(0, |text| text.chars().count());
        if length > limit {
            self.problem(
                name,
                &format!("has {length} characters, {limit} are allowed"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn section(text: String) -> Value {
        json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    }

    fn button(members: Value) -> Value {
        let mut button = json!({"type": "button", "action_id": "take", "text": {"type": "plain_text", "text": "Take it"}});
        button
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        json!({"type": "actions", "elements": [button]})
    }

    #[test]
    fn every_limit_accepts_its_border_and_refuses_one_more() {
        let x = |count: usize| "x".repeat(count);
        let plain = |count: usize| json!({"type": "plain_text", "text": x(count)});
        let context = |count: usize| json!({"type": "context", "elements": vec![plain(1); count]});
        let fields = |count: usize, length: usize| json!({"type": "section", "fields": vec![plain(length); count]});
        let actions = |count: usize| {
            let buttons: Vec<Value> =
                (0..count).map(|index| json!({"type": "button", "action_id": format!("a{index}"), "text": plain(1)})).collect();
            json!({"type": "actions", "elements": buttons})
        };
        let cases = [
            (
                vec![section(x(3000))],
                vec![section(x(3001))],
                "blocks[0].text must have 1 to 3000",
            ),
            (
                vec![fields(10, 1)],
                vec![fields(11, 1)],
                "blocks[0].fields must have 1 to 10",
            ),
            (
                vec![fields(1, 2000)],
                vec![fields(1, 2001)],
                "blocks[0].fields[0] must have 1 to 2000",
            ),
            (
                vec![json!({"type": "header", "text": plain(150)})],
                vec![json!({"type": "header", "text": plain(151)})],
                "blocks[0].text must have 1 to 150",
            ),
            (
                vec![section(x(1))],
                vec![json!({"type": "section"})],
                "blocks[0].text and fields are both missing",
            ),
            (
                vec![actions(25)],
                vec![actions(26)],
                "blocks[0].elements must have 1 to 25",
            ),
            (
                vec![context(10)],
                vec![context(11)],
                "blocks[0].elements must have 1 to 10",
            ),
            (
                vec![json!({"type": "divider", "block_id": x(255)})],
                vec![json!({"type": "divider", "block_id": x(256)})],
                "blocks[0].block_id has 256",
            ),
            (
                vec![button(json!({"text": plain(75)}))],
                vec![button(json!({"text": plain(76)}))],
                "blocks[0].elements[0].text must have 1 to 75",
            ),
            (
                vec![button(json!({"url": x(3000)}))],
                vec![button(json!({"url": x(3001)}))],
                "blocks[0].elements[0].url has 3001",
            ),
            (
                vec![button(json!({"value": x(2000)}))],
                vec![button(json!({"value": x(2001)}))],
                "blocks[0].elements[0].value has 2001",
            ),
            (
                vec![button(json!({"action_id": x(255)}))],
                vec![button(json!({"action_id": x(256)}))],
                "blocks[0].elements[0].action_id has 256",
            ),
            (
                vec![button(json!({"style": "primary"}))],
                vec![button(json!({"style": "red"}))],
                "blocks[0].elements[0].style must be",
            ),
            (
                vec![button(
                    json!({"confirm": {"title": plain(100), "text": plain(300)}}),
                )],
                vec![button(
                    json!({"confirm": {"title": plain(101), "text": plain(300)}}),
                )],
                "blocks[0].elements[0].confirm.title must have 1 to 100",
            ),
            (
                vec![json!({"type": "markdown", "text": x(12_000)})],
                vec![json!({"type": "markdown", "text": x(12_001)})],
                "blocks[0].text has 12001",
            ),
            (
                vec![json!({"type": "divider"}); 50],
                vec![json!({"type": "divider"}); 51],
                "a message has 51 blocks",
            ),
            (
                vec![json!({"type": "divider"})],
                vec![json!({"type": "line"})],
                "blocks[0].type is not a block type",
            ),
            (
                vec![
                    json!({"type": "divider", "block_id": "a"}),
                    json!({"type": "divider", "block_id": "b"}),
                ],
                vec![
                    json!({"type": "divider", "block_id": "a"}),
                    json!({"type": "divider", "block_id": "a"}),
                ],
                "blocks[1].block_id is used twice",
            ),
            (
                vec![section(x(2640)); 5],
                vec![section(x(2641)); 5],
                "the blocks come to 13205 characters",
            ),
        ];
        for (good, bad, sentence) in cases {
            assert_eq!(check_blocks(&json!(good)), BlockFindings::default());
            let problems = check_blocks(&json!(bad)).problems;
            assert!(
                problems.iter().any(|problem| problem.starts_with(sentence)),
                "{sentence}: {problems:?}"
            );
        }
    }

    #[test]
    fn only_a_total_that_is_too_long_says_so() {
        assert!(check_blocks(&json!(vec![section("x".repeat(2700)); 5])).too_long);
        assert!(!check_blocks(&json!(vec![section("x".repeat(3001)); 5])).too_long);
    }

    #[test]
    fn markup_is_found_and_escaped_text_is_not() {
        let probe = Probe {
            own_links: vec!["https://handoff.example/".to_owned()],
            ..Probe::default()
        };
        assert_eq!(probe.find("hello <!channel> all"), Some("<!channel"));
        assert_eq!(probe.find("<https://evil.example|refund>"), Some("<http"));
        assert_eq!(probe.find("<https://handoff.example/h/1|Open>"), None);
        assert_eq!(
            probe.find("<https://handoff.example/h/1|Open> <https://evil.example>"),
            Some("<http")
        );
        assert_eq!(probe.find("&lt;!channel&gt; 2 < 3"), None);
    }
}
