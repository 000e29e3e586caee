use std::collections::BTreeMap;

use serde::Deserialize;

const V1: &str = "org.nixos.bootspec.v1";

/// The part of a `boot.json` (bootspec, NixOS RFC 125, version 1) that the facts rest on.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bootspec {
    pub(super) system: Option<String>,
    #[serde(default)]
    pub(super) kernel_params: Vec<String>,
    pub(super) toplevel: Option<String>,
    pub(super) init: Option<String>,
    pub(super) kernel: Option<String>,
    pub(super) initrd: Option<String>,
    pub(super) label: Option<String>,
}

/// What else a `boot.json` holds beside the system itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    /// `org.nixos.specialisation.v1`, one level of it: specialisations have none of their own. `None` where it is not there.
    pub(super) specialisations: Option<BTreeMap<String, Bootspec>>,
    /// The device tree that systemd-boot is given, from its own extension.
    pub(super) device_tree: Option<String>,
}

/// Reads the extensions that are understood; damaged or unknown ones are none.
pub(super) fn parse_extensions(text: &str) -> Extensions {
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let specialisations = document["org.nixos.specialisation.v1"]
        .as_object()
        .map(|children| {
            let specs = children.iter().filter_map(|(name, child)| {
                let spec = serde_json::from_value(child[V1].clone()).ok()?;
                Some((name.clone(), spec))
            });
            specs.collect()
        });
    Extensions {
        specialisations,
        device_tree: document["org.nixos.systemd-boot"]["devicetree"]
            .as_str()
            .map(str::to_owned),
    }
}

/// A reason is a sentence for a report, whatever the document holds.
const LONGEST_REASON: usize = 200;

/// Parses version 1; documents of other versions only are an error.
pub(super) fn parse_bootspec(text: &str) -> Result<Bootspec, String> {
    let mut document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| reason(&error.to_string()))?;
    let Some(v1) = document.remove(V1) else {
        let keys: Vec<_> = document.keys().map(String::as_str).collect();
        return Err(reason(&format!("no `{V1}`, only: {}", keys.join(", "))));
    };
    serde_json::from_value(v1).map_err(|error| reason(&error.to_string()))
}

fn reason(text: &str) -> String {
    match text.char_indices().nth(LONGEST_REASON) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Splits a kernel command line: at blanks outside double quotes, as the kernel's `next_arg` does; `init=` is left out.
pub(super) fn parse_kernel_params(text: &str) -> Vec<String> {
    without_init(split_kernel_params(text))
}

/// The same with `init=`.
pub(super) fn split_kernel_params(text: &str) -> Vec<String> {
    let mut params = Vec::new();
    let mut param = String::new();
    let mut quoted = false;
    for c in text.chars().chain([' ']) {
        if c == '"' {
            quoted = !quoted;
        }
        if !c.is_whitespace() || quoted {
            param.push(c);
        } else if !param.is_empty() {
            params.push(std::mem::take(&mut param));
        }
    }
    if !param.is_empty() {
        params.push(param.trim_end().to_owned());
    }
    params
}

pub(super) fn without_init(mut params: Vec<String>) -> Vec<String> {
    params.retain(|param| !param.starts_with("init="));
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_read() {
        let bootspec = parse_bootspec(
            r#"{"org.nixos.bootspec.v1": {"system": "x86_64-linux", "kernelParams": ["quiet"], "label": "NixOS"},
                "org.nixos.specialisation.v1": {}}"#,
        );
        assert_eq!(
            bootspec.unwrap(),
            Bootspec {
                system: Some("x86_64-linux".into()),
                kernel_params: vec!["quiet".into()],
                toplevel: None,
                init: None,
                kernel: None,
                initrd: None,
                label: Some("NixOS".into()),
            }
        );
    }

    #[test]
    fn other_versions_and_damage_are_errors() {
        let error = parse_bootspec(r#"{"org.nixos.bootspec.v9": {}}"#).unwrap_err();
        assert!(error.contains("bootspec.v9"), "{error}");
        let long = parse_bootspec(&format!(r#"{{"{}": 1}}"#, "é".repeat(9999))).unwrap_err();
        assert!(long.ends_with('…') && long.len() < 1000);
        assert!(parse_bootspec("[]").is_err());
        assert!(parse_bootspec("").is_err());
    }

    #[test]
    fn specialisations_and_the_device_tree_are_read() {
        let extensions = parse_extensions(
            r#"{"org.nixos.specialisation.v1": {"a": {"org.nixos.bootspec.v1": {"toplevel": "/x"}}, "b": {}},
                "org.nixos.systemd-boot": {"devicetree": "/dtb"}}"#,
        );
        let names = extensions.specialisations.unwrap().into_keys();
        assert!(names.eq(["a"]));
        assert_eq!(extensions.device_tree.as_deref(), Some("/dtb"));
        for text in ["", "[]", r#"{"org.nixos.specialisation.v1": 1}"#] {
            assert_eq!(parse_extensions(text), Extensions::default());
        }
    }

    #[test]
    fn quoted_parameters_stay_whole_and_init_is_left_out() {
        let params =
            parse_kernel_params("console=ttyS0,115200n8  dyndbg=\"file a.c +p\" init=/x \n");
        assert_eq!(params, ["console=ttyS0,115200n8", "dyndbg=\"file a.c +p\""]);
        assert_eq!(parse_kernel_params("a=\"open "), ["a=\"open"]);
    }
}
