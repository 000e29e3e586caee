//! The order of versions that the UAPI group's version format specification gives, by which systemd-boot sorts its entries.

use std::cmp::Ordering;

/// Compares two versions: runs of digits as numbers, runs of letters as text, `~` before everything, then `-`, `^` and `.`.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        left = without_noise(left);
        right = without_noise(right);
        for separator in [b'~', 0, b'-', b'^', b'.'] {
            let order = match separator {
                // The end of a text comes after `~` and before all else.
                0 => match (left.is_empty(), right.is_empty()) {
                    (true, true) => return Ordering::Equal,
                    (true, false) => return Ordering::Less,
                    (false, true) => return Ordering::Greater,
                    (false, false) => continue,
                },
                separator => {
                    let has = |text: &[u8]| text.first() == Some(&separator);
                    match (has(left), has(right)) {
                        (true, true) => {
                            left = &left[1..];
                            right = &right[1..];
                            Ordering::Equal
                        }
                        (true, false) => Ordering::Less,
                        (false, true) => Ordering::Greater,
                        (false, false) => Ordering::Equal,
                    }
                }
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        let digits = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
        let order = if digits(left) || digits(right) {
            let (a, b) = (
                run(&mut left, u8::is_ascii_digit),
                run(&mut right, u8::is_ascii_digit),
            );
            let (a, b) = (without_zeros(a), without_zeros(b));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            let is_letter = u8::is_ascii_alphabetic;
            run(&mut left, is_letter).cmp(run(&mut right, is_letter))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// From the first character that takes part.
fn without_noise(text: &[u8]) -> &[u8] {
    let counts = |byte: &u8| byte.is_ascii_alphanumeric() || b"~-^.".contains(byte);
    let start = text.iter().position(counts).unwrap_or(text.len());
    &text[start..]
}

/// Takes the leading bytes of a kind.
fn run<'a>(text: &mut &'a [u8], is: fn(&u8) -> bool) -> &'a [u8] {
    let end = text.iter().position(|byte| !is(byte)).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    *text = rest;
    run
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|digit| *digit != b'0');
    &digits[start.unwrap_or(digits.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_ascend() {
        // The order of the examples in the specification.
        let ascending = [
            "~1",
            "",
            "1_",
            "122.1",
            "123~rc1-1",
            "123",
            "123-a",
            "123-a.1",
            "123-1",
            "123-1.1",
            "123^post1",
            "123.a-1",
            "123.1-1",
            "123a-1",
            "124-1",
        ];
        for (at, left) in ascending.iter().enumerate() {
            for right in &ascending[at + 1..] {
                assert_eq!(compare(left, right), Ordering::Less, "{left} {right}");
                assert_eq!(compare(right, left), Ordering::Greater, "{left} {right}");
            }
            assert_eq!(compare(left, left), Ordering::Equal);
        }
    }

    #[test]
    fn generations_are_compared_as_numbers() {
        let compare = |a, b| compare(a, b);
        assert_eq!(
            compare("nixos-generation-9", "nixos-generation-10"),
            Ordering::Less
        );
        assert_eq!(compare("é", ""), Ordering::Equal);
        assert_eq!(compare("007", "7"), Ordering::Equal);
    }
}
