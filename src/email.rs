//! Whether a text can be an e-mail address, for the vendors that refuse everything else with it.
//!
//! Pure, and stricter than the RFCs: quoted parts and letters beyond ASCII are for nobody here.

/// The longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3, less the brackets).
const LONGEST: usize = 254;

/// Rejects what certainly is no address, like `dana` or `dana@example`.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let clean = |part: &str| {
        part.chars()
            .all(|c| c.is_ascii_alphanumeric() || "._%+-".contains(c))
            && !part.is_empty()
    };
    clean(local)
        && clean(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && text.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_parts_and_a_dot_in_the_second() {
        for good in ["dana@example.com", "a.b+c@mail.example.co.uk"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "nope",
            "@example.com",
            "dana@",
            "a b@example.com",
            "dana@example",
            "d@.example.com",
            "d@example.com.",
            "d@e@example.com",
            "d@example.com/token",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(!is_address(&format!("{}@example.com", "d".repeat(250))));
    }
}
