//! What a user means by `--flake`.

use super::Failure;

/// What `nix build` takes: `REF#HOST` and `REF#nixosConfigurations.HOST` stand for the host's toplevel, and so does `REF` where the host is
/// known. Whatever else has a dot in it is an attribute path of the user's own; a host whose name has one is written in quotes.
///
/// # Errors
/// When no host is named.
pub(super) fn installable(reference: &str, host: Option<&str>) -> Result<String, Failure> {
    let toplevel = |flake: &str, host: &str| {
        let host = host.trim_matches('"');
        format!("{flake}#nixosConfigurations.\"{host}\".config.system.build.toplevel")
    };
    let (flake, attribute) = reference.split_once('#').unwrap_or((reference, ""));
    let is_one_name = |name: &str| {
        let inside = name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'));
        !name.is_empty()
            && !inside
                .unwrap_or(name)
                .contains(if inside.is_some() { '"' } else { '.' })
    };
    let configuration = attribute.strip_prefix("nixosConfigurations.");
    if flake.is_empty() && !reference.starts_with('#') {
        return Err("--flake: name a flake and its host, as in .#HOST".into());
    }
    match (configuration.unwrap_or(attribute), host) {
        ("", Some(host)) => Ok(toplevel(flake, host)),
        ("", None) => Err(format!("--flake {reference}: name the host, as in {flake}#HOST").into()),
        (name, _) if is_one_name(name) => Ok(toplevel(flake, name)),
        _ => Ok(reference.to_owned()),
    }
}

/// The output `out` of the last derivation that `nix build --json` tells of, or the store path that it was given.
pub(super) fn built(output: &str) -> Option<String> {
    let built: serde_json::Value = serde_json::from_str(output.trim()).ok()?;
    let last = built.as_array()?.last()?;
    let path = last.pointer("/outputs/out").or(last.get("path"));
    path.unwrap_or(last).as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_is_read_of_each_form_that_nix_has() {
        let path = "/nix/store/w3gdb66k7wl9n8r7m3l5bnzs692cj5ga-nixos-system-web-24.11";
        for text in [
            format!("[{{\"drvPath\":\"/nix/store/x.drv\",\"outputs\":{{\"out\":\"{path}\"}}}}]\n"),
            format!("[{{\"path\":\"{path}\"}}]"),
            format!("[\"{path}\"]"),
        ] {
            assert_eq!(built(&text).as_deref(), Some(path));
        }
        for text in [
            "",
            "[]",
            "{}",
            "[{\"outputs\":{\"dev\":\"/nix/store/x\"}}]",
            path,
        ] {
            assert_eq!(built(text), None, "{text}");
        }
    }

    #[test]
    fn a_host_stands_for_its_toplevel() {
        let toplevel = ".#nixosConfigurations.\"web\".config.system.build.toplevel";
        for reference in [".#web", ".#\"web\"", ".#nixosConfigurations.web"] {
            assert_eq!(installable(reference, Some("mail")).unwrap(), toplevel);
        }
        for reference in [".", ".#"] {
            assert_eq!(installable(reference, Some("web")).unwrap(), toplevel);
        }
        let dotted = ".#nixosConfigurations.\"web.example.org\".config.system.build.toplevel";
        assert_eq!(installable(".#\"web.example.org\"", None).unwrap(), dotted);
    }

    #[test]
    fn any_other_installable_is_what_it_is() {
        for whole in [
            "github:a/b#nixosConfigurations.web.config.system.build.toplevel",
            ".#packages.x86_64-linux.web",
        ] {
            assert_eq!(installable(whole, Some("mail")).unwrap(), whole);
        }
        for nameless in [".", ".#", ""] {
            assert!(installable(nameless, None).is_err(), "{nameless}");
        }
    }
}
