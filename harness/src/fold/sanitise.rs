//! The one place where text of the guest is made fit for a terminal, a page and a bounded report.
//!
//! Called by every parser of `fold`. It never decides what a text means.

/// The longest line that is kept, in characters; what is cut off is marked with `…`.
pub const LINE_LIMIT: usize = 500;

/// One line: escape sequences and control characters removed, white space at both ends removed, at most
/// [`LINE_LIMIT`] characters.
pub fn line(text: &str) -> String {
    let mut kept = String::new();
    let mut length = 0;
    for c in visible(text) {
        if length == LINE_LIMIT {
            kept.push('…');
            break;
        }
        if length > 0 || !c.is_whitespace() {
            kept.push(c);
            length += 1;
        }
    }
    kept.truncate(kept.trim_end().len());
    kept
}

/// The last `limit` lines of a text that are not blank, each as [`line`] makes it.
pub fn last_lines(text: &str, limit: usize) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .map(line)
        .filter(|l| !l.is_empty())
        .take(limit)
        .collect();
    lines.reverse();
    lines
}

/// The characters of a text that show, control characters replaced by a space and escape sequences left out.
fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            match chars.next()? {
                '\u{1b}' => match chars.peek() {
                    // A control sequence ends with a byte of `@` to `~` (ECMA-48, 5.4).
                    Some('[') => {
                        chars.next();
                        while chars.next_if(|c| !('@'..='~').contains(c)).is_some() {}
                        chars.next();
                    }
                    // An operating system command, such as a window's title, ends with BEL or ESC \.
                    Some(']') => {
                        while chars
                            .next_if(|c| !matches!(c, '\u{7}' | '\u{1b}'))
                            .is_some()
                        {}
                        chars.next_if_eq(&'\u{7}');
                    }
                    _ => {
                        chars.next();
                    }
                },
                c if reorders(c) => {}
                c if c.is_control() => return Some(' '),
                c => return Some(c),
            }
        }
    })
}

/// Characters without width, and those that change the direction of what follows: a line must read as it is.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(
            line("[\u{1b}[0;32m  OK  \u{1b}[0m] Started x"),
            "[  OK  ] Started x"
        );
        assert_eq!(line("\u{1b}]0;title\u{7}text\r\n"), "text");
        assert_eq!(line("a\u{1b}"), "a");
        assert_eq!(line("\u{1b}[31"), "");
        assert_eq!(line("safe\u{202e}txet"), "safetxet");
    }

    #[test]
    fn a_line_is_bounded() {
        let long = line(&"é".repeat(100_000));
        assert_eq!(long.chars().count(), LINE_LIMIT + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn the_last_lines_keep_their_order() {
        assert_eq!(last_lines("a\n\nb\nc\n \n", 2), ["b", "c"]);
    }
}
