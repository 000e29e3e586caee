/// A word of a unit with the specifiers of systemd.unit(5) expanded that the unit's name and systemd's own directories decide; `None` where
/// another is in it, which only the machine knows.
pub(in crate::closure) fn expanded(word: &str, unit: &str) -> Option<String> {
    let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let last = |name: &str| {
        name.rsplit_once('-')
            .map_or(name, |(_, last)| last)
            .to_owned()
    };
    let mut text = String::new();
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match chars.next()? {
            '%' => text.push('%'),
            'i' | 'I' if instance.is_empty() => return None,
            'i' => text.push_str(instance),
            'I' => text.push_str(&unescaped(instance)?),
            'p' => text.push_str(prefix),
            'P' => text.push_str(&unescaped(prefix)?),
            'j' => text.push_str(&last(prefix)),
            'J' => text.push_str(&unescaped(&last(prefix))?),
            'n' => text.push_str(unit),
            'N' => text.push_str(stem),
            // Of the system's own manager.
            't' => text.push_str("/run"),
            'S' => text.push_str("/var/lib"),
            'C' => text.push_str("/var/cache"),
            'L' => text.push_str("/var/log"),
            'E' => text.push_str("/etc"),
            'T' => text.push_str("/tmp"),
            'V' => text.push_str("/var/tmp"),
            'h' => text.push_str("/root"),
            'u' | 'g' => text.push_str("root"),
            'U' | 'G' => text.push('0'),
            _ => return None,
        }
    }
    Some(text)
}

/// `a/b` of `a-b`, as `systemd-escape --unescape` gives it.
fn unescaped(name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        if let Some(digits) = rest.strip_prefix("\\x").and_then(|r| r.get(..2)) {
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[4..];
            continue;
        }
        let plain = if c == '-' { '/' } else { c };
        bytes.extend(plain.to_string().bytes());
        rest = &rest[c.len_utf8()..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_name_decides_is_expanded_and_the_rest_is_not_guessed() {
        let of = |word: &str| expanded(word, "a-b@c-d\\x2de.service");
        for (word, expected) in [
            ("/bin/x%%", "/bin/x%"),
            ("%i", "c-d\\x2de"),
            ("%I", "c/d-e"),
            ("%p %P %j", "a-b a/b b"),
            ("%n", "a-b@c-d\\x2de.service"),
            ("%N", "a-b@c-d\\x2de"),
            ("%t/x %S", "/run/x /var/lib"),
        ] {
            assert_eq!(of(word).as_deref(), Some(expected), "{word}");
        }
        for word in ["%v", "%H", "%", "%é"] {
            assert_eq!(of(word), None, "{word}");
        }
        assert_eq!(expanded("%i", "a@.service"), None);
        assert_eq!(expanded("%I", "a@\\xzz.service"), None);
        assert_eq!(expanded("%I", "a@\\xé.service"), None);
    }
}
