/// Systemd's own section names are shorter; of a longer one, which no setting is asked for in, only the beginning is kept.
const LONGEST_SECTION: usize = 64;

/// A unit with its drop-ins: the assignments of all of them, in the order in which systemd reads them.
#[derive(Debug, Default)]
pub struct UnitFile {
    assignments: Vec<Assignment>,
}

#[derive(Debug)]
struct Assignment {
    section: String,
    key: String,
    value: String,
}

impl UnitFile {
    /// Adds the assignments of a file in the syntax of systemd.syntax(7): comments, sections, and lines that a backslash continues.
    pub fn add(&mut self, text: &str) {
        let mut section = String::new();
        let mut continued = String::new();
        for line in text.lines() {
            let trimmed = line.trim();
            // A comment within a continued line is skipped, and the line goes on after it.
            if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && continued.is_empty()) {
                continue;
            }
            if let Some(part) = trimmed.strip_suffix('\\') {
                continued.push_str(part);
                continued.push(' ');
                continue;
            }
            continued.push_str(trimmed);
            self.add_line(&mut section, &std::mem::take(&mut continued));
        }
        // The file may end within a continued line.
        self.add_line(&mut section, &continued);
    }

    fn add_line(&mut self, section: &mut String, line: &str) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            // Every assignment repeats it.
            *section = name.chars().take(LONGEST_SECTION).collect();
        } else if let Some((key, value)) = line.split_once('=') {
            self.assignments.push(Assignment {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            });
        }
    }

    /// The values of a list such as `ExecStart`; an empty assignment forgets those before it.
    pub fn list(&self, section: &str, key: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for assignment in &self.assignments {
            if assignment.section == section && assignment.key == key {
                if assignment.value.is_empty() {
                    values.clear();
                } else {
                    values.push(assignment.value.as_str());
                }
            }
        }
        values
    }

    /// All assignments, one a line as `[Section] Key=value`: equal for two units that mean the same to systemd, whatever their comments.
    pub fn assignments(&self) -> String {
        self.assignments
            .iter()
            .map(|a| format!("[{}] {}={}\n", a.section, a.key, a.value))
            .collect()
    }
}

/// The prefixes of a command's executable: `-` where its failure is ignored, `@`, `+` and others.
pub fn command_prefixes(command: &str) -> &str {
    let command = command.trim_start();
    let program = command.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    &command[..command.len() - program.len()]
}

/// Splits a command line of systemd.service(5) into words, without the prefixes of its executable; specifiers are left as they are.
///
/// With the prefix `@` the second word is `argv[0]` and belongs to no argument: it is left out.
pub fn command_words(command: &str) -> Vec<String> {
    let command = command.trim_start();
    let executable = command.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let prefixes = &command[..command.len() - executable.len()];
    let mut words = split_words(executable);
    if prefixes.contains('@') && words.len() > 1 {
        words.remove(1);
    }
    words
}

/// The command lines of one assignment: a semicolon that stands alone, outside quotes, separates them (systemd.service(5)).
pub fn command_lines(assignment: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut from = 0;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut previous = ' ';
    for (at, c) in assignment.char_indices() {
        let next = assignment[at + c.len_utf8()..].chars().next();
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ';') if previous.is_whitespace() && next.is_none_or(char::is_whitespace) => {
                lines.push(&assignment[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        previous = c;
    }
    lines.push(&assignment[from..]);
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// Splits at blanks outside quotes, as systemd does and as a shell does where there is nothing to expand.
pub(super) fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (_, '\\') => word.get_or_insert_default().extend(unescape(&mut chars)),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The character that a C-style escape stands for, after its backslash.
fn unescape(chars: &mut std::str::Chars) -> Option<char> {
    let c = chars.next()?;
    Some(match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        's' => ' ',
        'x' => {
            let digits: String = chars.by_ref().take(2).collect();
            char::from(u8::from_str_radix(&digits, 16).ok()?)
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(texts: &[&str]) -> UnitFile {
        let mut unit = UnitFile::default();
        for text in texts {
            unit.add(text);
        }
        unit
    }

    #[test]
    fn continued_lines_and_comments_are_read() {
        let unit = unit(&[
            "# generated\n[Unit]\nExecStart=/not/this\n[Service]\nExecStart = /bin/a \\\n  # why\n  --flag \\\n  last\n",
        ]);
        let words = command_words(unit.list("Service", "ExecStart")[0]);
        assert_eq!(words, ["/bin/a", "--flag", "last"]);
        let cut = self::unit(&["[Service]\nExecStart=/bin/a \\"]);
        assert_eq!(cut.list("Service", "ExecStart"), ["/bin/a"]);
    }

    #[test]
    fn an_empty_assignment_of_a_drop_in_forgets_the_unit() {
        let unit = unit(&[
            "[Service]\nExecStart=/bin/old\n",
            "[Service]\nExecStart=\nExecStart=/bin/new\n",
        ]);
        assert_eq!(unit.list("Service", "ExecStart"), ["/bin/new"]);
    }

    #[test]
    fn a_lonely_semicolon_separates_commands() {
        assert_eq!(
            command_lines("-/bin/a 'x ; y' ; /bin/b \\; z; ;"),
            ["-/bin/a 'x ; y' ", " /bin/b \\; z; "]
        );
        assert_eq!(command_lines("/bin/a"), ["/bin/a"]);
        assert!(command_lines(" ;").is_empty());
    }

    #[test]
    fn a_long_section_name_is_not_repeated_with_every_assignment() {
        let unit = unit(&[&format!("[{}]\n{}", "é".repeat(9999), "a=b\n".repeat(99))]);
        assert!(unit.assignments().len() < 99 * 150);
    }

    #[test]
    fn prefixes_and_quotes_are_not_part_of_the_executable() {
        assert_eq!(
            command_words("@-/bin/a argv0 'b c' \"d\\\"e\" f\\x20g"),
            ["/bin/a", "b c", "d\"e", "f g"]
        );
        assert_eq!(command_words("!!+:/bin/a"), ["/bin/a"]);
        assert_eq!(
            command_words("-\"/nix/with blank\" x")[0],
            "/nix/with blank"
        );
        assert!(command_words("").is_empty());
        assert_eq!(command_words("'open"), ["open"]);
    }
}
