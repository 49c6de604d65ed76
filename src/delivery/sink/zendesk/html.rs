//! Text of people inside a note's HTML.

use crate::delivery::sink::cut;

/// Cuts text to `limit` characters and escapes it for HTML.
///
/// Braces are escaped too, because Zendesk fills placeholders such as `{{ticket.id}}` in
/// comments; whether it would do so after this escaping is UNCONFIRMED, the entities cost nothing.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    let text = cut::characters(text, limit);
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '{' => html.push_str("&#123;"),
            '}' => html.push_str("&#125;"),
            plain => html.push(plain),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_markup_survives() {
        assert_eq!(
            escaped("<b a='1' c=\"2\">&{{x}}", 100),
            "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;&#123;&#123;x&#125;&#125;"
        );
        assert_eq!(escaped("<<<<", 3), "&lt;&lt;…");
    }
}
