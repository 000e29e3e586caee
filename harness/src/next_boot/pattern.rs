//! The patterns by which `loader.conf` names entries.

/// A shell's pattern of `*`, `?` and `[…]` (`loader.conf(5)`).
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last `*` took one more character.
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t));
                continue;
            }
            Some(_) => {
                if let Some(width) = one(&pattern[p..], text[t]) {
                    p += width;
                    t += 1;
                    continue;
                }
            }
            None => {}
        }
        let Some((after, at)) = retry else {
            return false;
        };
        retry = Some((after, at + 1));
        (p, t) = (after, at + 1);
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How much of the pattern one character takes; `None` where it does not fit.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] if rest.iter().skip(1).any(|c| *c == ']') => {
            let end = 1 + rest.iter().skip(1).position(|c| *c == ']')?;
            let set = &rest[..end];
            let ranges = set
                .windows(3)
                .any(|w| w[1] == '-' && w[0] <= c && c <= w[2]);
            (ranges || set.contains(&c)).then_some(end + 2)
        }
        ['\\', escaped, ..] => (*escaped == c).then_some(2),
        [literal, ..] => (*literal == c).then_some(1),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_a_shell() {
        for (pattern, text, expected) in [
            ("nixos-generation-12.conf", "nixos-generation-12.conf", true),
            ("nixos-*", "nixos-generation-12.conf", true),
            ("*-1?.conf", "nixos-generation-12.conf", true),
            (
                "nixos-generation-[0-9].conf",
                "nixos-generation-7.conf",
                true,
            ),
            (
                "nixos-generation-[0-9].conf",
                "nixos-generation-12.conf",
                false,
            ),
            ("nixos", "nixos-generation-12.conf", false),
            ("*", "", true),
            ("", "x", false),
            ("[", "[", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches(&"*a".repeat(2000), &"a".repeat(1000)));
    }
}
