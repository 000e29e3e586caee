/// What bootproof needs of a `grub-config.xml`: NixOS's GRUB options as `builtins.toXML` writes them, the input of `install-grub.pl`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GrubConfig {
    /// Where GRUB is written for BIOS; `nodev` left out.
    pub(super) devices: Vec<String>,
    pub(super) efi: bool,
}

/// Parses the attributes `devices` and `grubEfi` (the package, empty without EFI support).
///
/// `None` where `devices` is missing, so that this is no such file.
pub(super) fn parse(xml: &str) -> Option<GrubConfig> {
    let devices = strings(attribute(xml, "devices")?)
        .into_iter()
        .filter(|device| !device.is_empty() && device != "nodev")
        .collect();
    let efi = attribute(xml, "grubEfi")
        .map(strings)
        .is_some_and(|values| values.iter().any(|value| !value.is_empty()));
    Some(GrubConfig { devices, efi })
}

/// What stands between `<attr name="NAME">` and the first `</attr>`; lists of strings hold no attributes.
fn attribute<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let opening = format!("<attr name=\"{name}\">");
    let (_, rest) = xml.split_once(&opening)?;
    rest.split_once("</attr>").map(|(content, _)| content)
}

fn strings(content: &str) -> Vec<String> {
    content
        .split("<string value=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(value, _)| decode(value))
        .collect()
}

/// Decodes the entities that Nix's XML writer uses.
fn decode(value: &str) -> String {
    [
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#xA;", "\n"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(value.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(devices: &str, grub_efi: &str) -> String {
        format!(
            "<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <attrs>\n    <attr name=\"bootPath\">\n      \
             <string value=\"/boot\" />\n    </attr>\n    <attr name=\"devices\">\n      <list>\n{devices}      \
             </list>\n    </attr>\n    <attr name=\"grubEfi\">\n      <string value=\"{grub_efi}\" />\n    </attr>\n  \
             </attrs>\n</expr>\n"
        )
    }

    #[test]
    fn devices_are_decoded_and_nodev_is_left_out() {
        let xml = config(
            "<string value=\"/dev/vda\" /><string value=\"nodev\" /><string value=\"/dev/a&amp;b\" />",
            "",
        );
        let expected = GrubConfig {
            devices: vec!["/dev/vda".into(), "/dev/a&b".into()],
            efi: false,
        };
        assert_eq!(parse(&xml), Some(expected));
    }

    #[test]
    fn a_grub_for_efi_is_seen() {
        let parsed = parse(&config("<string value=\"nodev\" />", "/nix/store/x-grub")).unwrap();
        assert!(parsed.efi);
        assert!(parsed.devices.is_empty());
    }

    #[test]
    fn other_text_is_no_grub_configuration() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("<attr name=\"devices\"><list>"), None);
    }
}
