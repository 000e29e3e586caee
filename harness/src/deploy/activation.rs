use super::Answers;

/// How far an activation got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activation {
    /// Nothing was changed.
    Not(NotActivated),
    /// The switch ended with this code; 0 where it did all it had to.
    Switched(i32),
    /// The connection broke, or the answer is none: nobody knows.
    Lost,
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotActivated {
    #[error(
        "the host was switched by somebody else while this deploy was made ready: it runs {0} now"
    )]
    Moved(String),
    #[error("the host's store lost the candidate after it was copied (a garbage collection?)")]
    Invalid,
    #[error("somebody else's switch is under way on the host")]
    Busy,
    #[error("the system profile could not be set: nix-env ended with {0}")]
    Profile(String),
}

impl Activation {
    /// Reads what [`super::script::activate`] said; `None` stands for an answer that is cut short.
    pub fn read(answers: Option<&Answers>) -> Self {
        let Some(answers) = answers else {
            return Self::Lost;
        };
        let told = |key| answers.text(key);
        if let Some(current) = told("moved") {
            return Self::Not(NotActivated::Moved(current));
        }
        if told("invalid").is_some() {
            return Self::Not(NotActivated::Invalid);
        }
        if told("busy").is_some() {
            return Self::Not(NotActivated::Busy);
        }
        if let Some(code) = told("unset") {
            return Self::Not(NotActivated::Profile(code));
        }
        let code = answers.value("switched").and_then(|code| code.parse().ok());
        code.map_or(Self::Lost, Self::Switched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Activation {
        let answers = Answers::parse(&format!("{text}\nbootproof end \n")).unwrap();
        Activation::read(Some(&answers))
    }

    #[test]
    fn each_end_is_told_from_the_others() {
        let moved = NotActivated::Moved("/nix/store/x".to_owned());
        assert_eq!(read("bootproof moved /nix/store/x"), Activation::Not(moved));
        assert_eq!(
            read("bootproof invalid "),
            Activation::Not(NotActivated::Invalid)
        );
        assert_eq!(read("bootproof busy "), Activation::Not(NotActivated::Busy));
        let unset = NotActivated::Profile("1".to_owned());
        assert_eq!(read("bootproof unset 1"), Activation::Not(unset));
        let text = "starting the following units\nbootproof switched 4";
        assert_eq!(read(text), Activation::Switched(4));
    }

    #[test]
    fn what_nobody_knows_is_not_taken_for_a_success() {
        assert_eq!(Activation::read(None), Activation::Lost);
        assert_eq!(read(""), Activation::Lost);
        assert_eq!(read("bootproof switched yes"), Activation::Lost);
    }
}
