//! Cutting text to what a vendor takes, on character borders and visibly.

/// Cuts text to at most `limit` characters, the last of which is then `…`.
pub(super) fn characters(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(limit.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    if limit > 0 {
        cut.push('…');
    }
    cut
}

/// Keeps the last items whose sizes fit into `budget` and says how many were left out before them.
pub(super) fn tail<T>(items: Vec<T>, budget: usize, size: impl Fn(&T) -> usize) -> (usize, Vec<T>) {
    let mut left = budget;
    let kept = items
        .iter()
        .rev()
        .take_while(|item| match left.checked_sub(size(item)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .count();
    let omitted = items.len() - kept;
    (omitted, items.into_iter().skip(omitted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_on_characters_not_bytes() {
        assert_eq!(characters("héllo wörld", 11), "héllo wörld");
        assert_eq!(characters("héllo wörld", 10), "héllo wör…");
        assert_eq!(characters("héllo wörld", 7), "héllo…");
        assert_eq!(characters("wörld", 0), "");
    }

    #[test]
    fn tail_keeps_the_end() {
        let (omitted, kept) = tail(vec!["aaa", "b", "cc"], 3, |item| item.len());
        assert_eq!((omitted, kept), (1, vec!["b", "cc"]));
        let (omitted, kept) = tail(vec!["aaa"], 2, |item| item.len());
        assert_eq!((omitted, kept), (1, vec![]));
    }
}
