//! Text of people inside Slack's mrkdwn.

/// Escapes text and cuts it, escapes counted, to at most `limit` characters.
///
/// `&`, `<` and `>` become entities, which also takes the meaning from `<!channel>`, `<@U…>` and
/// links. The four formatting characters have no escape in mrkdwn, so that look-alikes stand in for
/// them.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    match fitting(text, limit) {
        (whole, true) => whole,
        (_, false) => {
            let mut cut = fitting(text, limit.saturating_sub(1)).0;
            cut.truncate(cut.trim_end().len());
            cut.push('…');
            cut
        }
    }
}

/// Escapes text as [`escaped`] does, into as many pieces of at most `limit` characters as it takes.
pub(super) fn split(text: &str, limit: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut length = 0;
    for character in text.chars() {
        let mut buffer = [0; 4];
        let written = replacement(character, &mut buffer);
        let width = written.chars().count();
        if length + width > limit && length > 0 {
            pieces.push(String::new());
            length = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(written);
        }
        length += width;
    }
    pieces
}

/// As much of the escaped text as fits, and whether that is all of it.
fn fitting(text: &str, limit: usize) -> (String, bool) {
    let mut fitting = String::with_capacity(text.len().min(limit));
    let mut length = 0;
    for character in text.chars() {
        let mut buffer = [0; 4];
        let written = replacement(character, &mut buffer);
        length += written.chars().count();
        if length > limit {
            return (fitting, false);
        }
        fitting.push_str(written);
    }
    (fitting, true)
}

fn replacement(character: char, buffer: &mut [u8; 4]) -> &str {
    match character {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '*' => "\u{2217}",
        '_' => "\u{02CD}",
        '~' => "\u{223C}",
        '`' => "\u{02CB}",
        plain => plain.encode_utf8(buffer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_markup_survives() {
        assert_eq!(
            escaped("<!channel> <https://x|y> & *b* _i_ ~s~ `c`", 500),
            "&lt;!channel&gt; &lt;https://x|y&gt; &amp; ∗b∗ ˍiˍ ∼s∼ ˋcˋ"
        );
    }

    #[test]
    fn entities_are_never_cut_apart() {
        assert_eq!(escaped("a&b", 7), "a&amp;b");
        assert_eq!(escaped("a&b", 6), "a…");
        assert_eq!(escaped("abc", 0), "…");
        assert_eq!(split("ab&cd", 5), ["ab", "&amp;", "cd"]);
        assert_eq!(split("", 5), [""]);
    }
}
