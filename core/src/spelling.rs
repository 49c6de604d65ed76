//! How far one word is from another, to guess what was meant.

/// Counts the letters to insert, drop or replace to make one word of the other (Levenshtein).
pub fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (above, l) in left.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (column, r) in right.chars().enumerate() {
            let replaced = diagonal + usize::from(l != r);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_not_bytes() {
        for (left, right, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("mode", "mod", 1),
            ("kitten", "sitting", 3),
            ("rufé", "rufe", 1),
        ] {
            assert_eq!(distance(left, right), edits);
            assert_eq!(distance(right, left), edits);
        }
    }
}
