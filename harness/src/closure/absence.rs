//! Whether the machine will lack a file of the store. What a link of the store has outside it, the machine may have.

use std::fs;

use super::files::{ClosureFiles, FileError};
use crate::vocabulary::StorePath;

/// As many links as Linux follows in one path, and components that no path of the store has.
const MAX_STEPS: usize = 400;

impl ClosureFiles<'_> {
    /// Whether a path is in the store, and not in the closure; a pattern is no path.
    pub(super) fn lacks(&self, path: &str) -> bool {
        let mut path = path.to_owned();
        for _ in 0..MAX_STEPS {
            if !path.starts_with("/nix/store/") || path.contains(['*', '?', '[']) {
                return false;
            }
            let Ok((store_path, below)) = StorePath::split(&path) else {
                return false;
            };
            match self.resolve(&path) {
                Err(FileError::Outside(_)) => return !self.closure().contains(&store_path),
                Err(FileError::Missing(_)) => {}
                _ => return false,
            }
            let Some((directory, name)) = path.trim_end_matches('/').rsplit_once('/') else {
                return false;
            };
            let host = match (below.is_empty(), self.resolve(directory)) {
                (true, _) => self.closure().host_path(&store_path),
                // `/etc` is the closure's and the machine's.
                (false, Ok(place)) if self.is_etc(&place.logical) => return false,
                (false, Ok(place)) => place.host.join(name),
                (false, Err(_)) => {
                    path.truncate(directory.len());
                    continue;
                }
            };
            match fs::read_link(host).map(|target| target.into_os_string().into_string()) {
                Ok(Ok(target)) if target.starts_with('/') => path = target,
                Ok(Ok(target)) => path = format!("{directory}/{target}"),
                Ok(Err(_)) => return false,
                Err(_) => return true,
            }
        }
        false
    }

    fn is_etc(&self, logical: &str) -> bool {
        self.resolve("/etc")
            .is_ok_and(|etc| logical.starts_with(&etc.logical))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn only_what_the_store_itself_has_not_is_lacking() {
        let fake = FakeClosure::new();
        fake.store_file("x", "there", "");
        fake.link("x", "state", "/var/lib/x");
        fake.link("x", "secret", "/etc/secret");
        fake.link("x", "loop", "loop");
        fake.link("x", "gone", "there/not");
        fake.link(
            "x",
            "stranger",
            "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/a",
        );
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        let lacks = |below: &str| files.lacks(&fake.path_of("x", below));
        for below in ["not", "a/b/c", "there/a", "gone", "gone/x"] {
            assert!(lacks(below), "{below}");
        }
        for below in ["", "there", "state", "secret", "state/x", "loop", "*.conf"] {
            assert!(!lacks(below), "{below}");
        }
        assert!(files.lacks("/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/a"));
        assert!(!files.lacks("/nix/store") && !files.lacks("/nix/store/") && !files.lacks("/x"));
    }
}
