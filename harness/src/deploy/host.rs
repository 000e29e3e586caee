use super::Answers;
use crate::vocabulary::StorePath;

/// What a host said of itself. What is no store path is told as `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostState {
    /// Whether we may activate there.
    pub root: bool,
    /// `/run/current-system`.
    pub current: Option<StorePath>,
    /// `/run/booted-system`.
    pub booted: Option<StorePath>,
    /// `/nix/var/nix/profiles/system`.
    pub profile: Option<StorePath>,
}

impl HostState {
    /// Reads what [`super::script::look`] or [`super::script::prove`] said.
    pub fn read(answers: &Answers) -> Self {
        let path = |key| StorePath::parse(answers.value(key)?).ok();
        Self {
            root: answers.value("user") == Some("0"),
            current: path("current"),
            booted: path("booted"),
            profile: path("profile"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_store_path_is_not_taken_for_one() {
        let path = format!("/nix/store/{}-nixos", "0".repeat(32));
        let text = format!(
            "bootproof user 0\nbootproof current {path}\nbootproof booted /run/booted-system\nbootproof profile {path}/x\n\
             bootproof end \n"
        );
        let state = HostState::read(&Answers::parse(&text).unwrap());
        let current = StorePath::parse(&path).ok();
        let expected = HostState {
            root: true,
            current,
            ..HostState::default()
        };
        assert_eq!(state, expected);
        let text = "bootproof user 1000\nbootproof end \n";
        assert!(!HostState::read(&Answers::parse(text).unwrap()).root);
    }
}
