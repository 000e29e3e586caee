/// What stands for the store path in a foreign command.
const PLACE: &str = "{toplevel}";

/// The command would deploy what it evaluates itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the command does not name {PLACE}: it would evaluate again, and may deploy something else than what was proven. Write {PLACE} where it \
     takes the store path"
)]
pub struct NoToplevel;

/// A foreign command with the store path in its place, in each argument that names it.
///
/// # Errors
/// When none does. The program's own name does not count.
pub fn with_toplevel(command: &[String], toplevel: &str) -> Result<Vec<String>, NoToplevel> {
    let named = command.iter().skip(1).any(|word| word.contains(PLACE));
    let words = command.iter().map(|word| word.replace(PLACE, toplevel));
    named.then(|| words.collect()).ok_or(NoToplevel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: &[&str]) -> Result<Vec<String>, NoToplevel> {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        with_toplevel(&command, "/nix/store/x")
    }

    #[test]
    fn the_store_path_takes_its_place() {
        let words = told(&["deploy", "--to={toplevel}", "web", "{toplevel}/bin"]);
        assert_eq!(
            words.unwrap(),
            ["deploy", "--to=/nix/store/x", "web", "/nix/store/x/bin"]
        );
    }

    #[test]
    fn a_command_that_evaluates_again_is_refused() {
        let rebuild = ["nixos-rebuild", "switch", "--flake", ".#web"];
        for command in [&rebuild[..], &["{toplevel}"], &[], &["x", "toplevel"]] {
            assert_eq!(told(command), Err(NoToplevel), "{command:?}");
        }
    }
}
