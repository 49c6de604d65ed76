//! Text of people inside Slack's mrkdwn.

/// Escapes text and cuts it, escapes counted, to at most `limit` characters.
///
/// `&`, `<` and `>` become entities, which also takes the meaning from `<!channel>`, `<@U…>` and
/// links. The four formatting characters have no escape in mrkdwn, so that look-alikes stand in for
/// them; inside a word (an e-mail address, an order number) they format nothing and stay.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    let mut cut = String::with_capacity(text.len().min(limit));
    let mut length = 0;
    // Where to cut if the rest turns out not to fit: there must be room for the ellipsis.
    let mut border = 0;
    for piece in pieces(text) {
        length += piece.width();
        if length > limit {
            cut.truncate(border);
            cut.truncate(cut.trim_end().len());
            cut.push('…');
            return cut;
        }
        piece.push_onto(&mut cut);
        if length < limit {
            border = cut.len();
        }
    }
    cut
}

/// Escapes text as [`escaped`] does, into as many texts of at most `limit` characters as it takes.
pub(super) fn split(text: &str, limit: usize) -> Vec<String> {
    let mut texts = Vec::new();
    let mut current = String::new();
    let mut length = 0;
    for piece in pieces(text) {
        if length + piece.width() > limit && length > 0 {
            texts.push(std::mem::take(&mut current));
            length = 0;
        }
        piece.push_onto(&mut current);
        length += piece.width();
    }
    texts.push(current);
    texts
}

/// What one character becomes.
enum Piece {
    Same(char),
    Entity(&'static str),
}

impl Piece {
    fn width(&self) -> usize {
        match self {
            Self::Same(_) => 1,
            Self::Entity(entity) => entity.len(),
        }
    }

    fn push_onto(&self, text: &mut String) {
        match self {
            Self::Same(character) => text.push(*character),
            Self::Entity(entity) => text.push_str(entity),
        }
    }
}

fn pieces(text: &str) -> impl Iterator<Item = Piece> {
    let mut characters = text.chars().peekable();
    let mut after_word = false;
    std::iter::from_fn(move || {
        let character = characters.next()?;
        let within = after_word && characters.peek().is_some_and(|next| next.is_alphanumeric());
        after_word = character.is_alphanumeric();
        Some(match character {
            '&' => Piece::Entity("&amp;"),
            '<' => Piece::Entity("&lt;"),
            '>' => Piece::Entity("&gt;"),
            '*' if !within => Piece::Same('\u{2217}'),
            '_' if !within => Piece::Same('\u{02CD}'),
            '~' if !within => Piece::Same('\u{223C}'),
            '`' if !within => Piece::Same('\u{02CB}'),
            plain => Piece::Same(plain),
        })
    })
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
    fn what_formats_nothing_stays() {
        assert_eq!(
            escaped("dana_reyes@example.com", 500),
            "dana_reyes@example.com"
        );
        assert_eq!(escaped("_dana_", 500), "ˍdanaˍ");
        assert_eq!(escaped("*_b_*", 500), "∗ˍbˍ∗");
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
