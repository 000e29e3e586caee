use std::collections::BTreeMap;

/// Before each line that a script says to us; what a login shell prints beside them has it not.
const MARK: &str = "bootproof ";
/// The last line of every script, which tells a whole answer from one that was cut short.
const END: &str = "end";

/// What a script on the host said: lines `bootproof KEY VALUE`, by their keys. A file's lines are told one by one under the file's key, so
/// that no text in a file can pass for another answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<String, Vec<String>>);

/// The script did not get to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its answer is cut short")]
pub struct CutShort;

/// Whether a line of a script's output is meant for us, and not for people.
pub fn is_answer(line: &str) -> bool {
    line.starts_with(MARK)
}

impl Answers {
    /// Reads the output of a script.
    ///
    /// # Errors
    /// When the script's last line is not there.
    pub fn parse(output: &str) -> Result<Self, CutShort> {
        let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in output.lines().filter_map(|line| line.strip_prefix(MARK)) {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            let values = answers.entry(key.to_owned()).or_default();
            values.push(value.to_owned());
        }
        match answers.contains_key(END) {
            true => Ok(Self(answers)),
            false => Err(CutShort),
        }
    }

    /// The first value of a key; `None` where it is not there, or empty.
    pub fn value(&self, key: &str) -> Option<&str> {
        let first = self.0.get(key)?.first()?.trim();
        (!first.is_empty()).then_some(first)
    }

    /// The lines of a file.
    pub fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|lines| lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_among_what_a_login_shell_prints() {
        let output = "Welcome!\nbootproof current /nix/store/x\nbootproof grub set default=0\n\
                      bootproof grub bootproof current y\nbootproof saved \nbootproof end \n";
        let answers = Answers::parse(output).unwrap();
        assert_eq!(answers.value("current"), Some("/nix/store/x"));
        let grub = "set default=0\nbootproof current y";
        assert_eq!(answers.text("grub").as_deref(), Some(grub));
        assert_eq!((answers.value("saved"), answers.value("x")), (None, None));
        assert!(is_answer("bootproof end") && !is_answer("Welcome!"));
    }

    #[test]
    fn an_answer_without_its_end_is_none() {
        for output in ["", "bootproof current x\n", "bootproof en"] {
            assert_eq!(Answers::parse(output), Err(CutShort), "{output}");
        }
    }
}
