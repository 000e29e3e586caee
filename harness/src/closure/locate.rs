use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::ClosureError;
use super::source::store_dir;
use crate::vocabulary::{STORE_DIR, StorePath};

/// As many links as Linux follows in one path (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Finds the store path that a user means by `text`: a logical store path, a path under the store's root, or a link to one.
///
/// Links are followed as the machine that runs the closure would follow them: a target under `/nix` is inside `root`.
///
/// # Errors
/// When nothing is there, or it is not a store path of this store.
pub fn in_store(root: &Path, text: &str) -> Result<StorePath, ClosureError> {
    let root = root.canonicalize().map_err(ClosureError::io(root))?;
    let store = store_dir(&root);
    let store = store.canonicalize().map_err(ClosureError::io(&store))?;
    let start = std::path::absolute(text).map_err(ClosureError::io(text))?;
    let real = follow(&root, &inside(&root, &start), text)?;
    let outside = || ClosureError::OutsideStore {
        path: text.to_owned(),
        store: store.display().to_string(),
    };
    let below = real.strip_prefix(&store).map_err(|_| outside())?;
    let logical = below.to_str().ok_or_else(outside)?;
    if logical.is_empty() {
        return Err(outside());
    }
    let malformed = |_| ClosureError::Malformed {
        path: text.to_owned(),
    };
    let logical = format!("{STORE_DIR}/{logical}");
    let (store_path, below) = StorePath::split(&logical).map_err(malformed)?;
    if below.is_empty() {
        Ok(store_path)
    } else {
        Err(ClosureError::BelowStorePath {
            path: text.to_owned(),
            store_path,
        })
    }
}

/// Finds the store path that a user means by `text` in a closure directory: a logical store path, its base name, or a path on this host
/// that ends in it.
///
/// # Errors
/// When the text names no store path.
pub(super) fn in_directory(text: &str) -> Result<StorePath, ClosureError> {
    let malformed = || ClosureError::Malformed {
        path: text.to_owned(),
    };
    let trimmed = text.trim_end_matches('/');
    if let Ok(path) = StorePath::parse(trimmed) {
        return Ok(path);
    }
    let named = |path: &Path| {
        let base = path.file_name()?.to_str()?;
        StorePath::parse(&format!("{STORE_DIR}/{base}")).ok()
    };
    if let Some(path) = named(Path::new(trimmed)) {
        return Ok(path);
    }
    match Path::new(trimmed).read_link() {
        Ok(target) => named(&target).ok_or_else(malformed),
        Err(_) => Err(malformed()),
    }
}

/// Moves a logical path under `/nix` into the root of a chroot store.
fn inside(root: &Path, path: &Path) -> PathBuf {
    let logical = ["/nix/store", "/nix/var"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    match path.strip_prefix("/") {
        Ok(below) if logical && !path.starts_with(root) => root.join(below),
        _ => path.to_owned(),
    }
}

/// Follows every link of an absolute path, component by component.
fn follow(root: &Path, path: &Path, text: &str) -> Result<PathBuf, ClosureError> {
    let mut real = PathBuf::from("/");
    let mut pending = components(path);
    let mut links = 0;
    while let Some(component) = pending.pop_front() {
        if component == ".." {
            real.pop();
            continue;
        }
        let next = real.join(&component);
        let metadata = next
            .symlink_metadata()
            .map_err(|_| ClosureError::NotFound(text.to_owned()))?;
        if !metadata.is_symlink() {
            real = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(ClosureError::LinkLoop(text.to_owned()));
        }
        let target = next.read_link().map_err(ClosureError::io(&next))?;
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        let mut target = components(&inside(root, &target));
        target.append(&mut pending);
        pending = target;
    }
    Ok(real)
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const BASE: &str = "0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-nixos-system-web";

    fn chroot_store() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("nix/store").join(BASE).join("sw")).unwrap();
        fs::create_dir_all(root.path().join("nix/var/nix/profiles")).unwrap();
        root
    }

    fn logical() -> String {
        format!("/nix/store/{BASE}")
    }

    #[test]
    fn logical_and_host_paths_name_the_same_toplevel() {
        let root = chroot_store();
        let host = format!("{}{}/", root.path().display(), logical());
        for text in [logical(), host] {
            assert_eq!(in_store(root.path(), &text).unwrap().as_str(), logical());
        }
    }

    #[test]
    fn links_with_logical_targets_lead_into_the_chroot_store() {
        let root = chroot_store();
        let profiles = root.path().join("nix/var/nix/profiles");
        symlink(logical(), profiles.join("system-1-link")).unwrap();
        symlink("system-1-link", profiles.join("system")).unwrap();
        let result = root.path().join("result");
        symlink("/nix/var/nix/profiles/system", &result).unwrap();
        for text in [result.to_str().unwrap(), "/nix/var/nix/profiles/system"] {
            assert_eq!(in_store(root.path(), text).unwrap().as_str(), logical());
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let root = chroot_store();
        let text = "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";
        let error = in_store(root.path(), text).unwrap_err();
        assert!(matches!(error, ClosureError::NotFound(_)), "{error}");
    }

    #[test]
    fn what_is_elsewhere_is_outside_the_store() {
        let root = chroot_store();
        for text in ["/etc", &format!("{}/nix", root.path().display())] {
            let error = in_store(root.path(), text).unwrap_err();
            assert!(
                matches!(error, ClosureError::OutsideStore { .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn what_lies_below_a_toplevel_is_not_the_toplevel() {
        let root = chroot_store();
        let error = in_store(root.path(), &format!("{}/sw", logical())).unwrap_err();
        assert!(
            matches!(error, ClosureError::BelowStorePath { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_loop_of_links_ends() {
        let root = chroot_store();
        let link = root.path().join("loop");
        symlink(&link, &link).unwrap();
        let error = in_store(root.path(), link.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, ClosureError::LinkLoop(_)), "{error}");
    }

    #[test]
    fn a_closure_directory_takes_base_names_and_host_paths() {
        for text in [
            BASE.to_owned(),
            logical(),
            format!("/srv/closure/store/{BASE}/"),
        ] {
            assert_eq!(in_directory(&text).unwrap().as_str(), logical());
        }
        assert!(in_directory("/etc/nixos").is_err());
    }
}
