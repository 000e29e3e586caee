/// What bootproof needs of a `grub-config.xml`: NixOS's GRUB options as `builtins.toXML` writes them, the input of `install-grub.pl`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GrubConfig {
    /// Where GRUB is written for BIOS; `nodev` left out.
    pub(super) devices: Vec<String>,
    pub(super) efi: bool,
    /// What `grub-install` is given as `--target` for EFI: `x86_64-efi`, `i386-efi`.
    pub(super) efi_target: Option<String>,
    /// Where the kernels are copied to and the menu is: `/boot`.
    pub(super) boot_path: Option<String>,
    pub(super) esp: Option<String>,
    /// Whether kernels are copied to where the menu is, even though GRUB could read them in the store.
    pub(super) copies_kernels: bool,
}

/// Parses the attributes that decide where GRUB and the kernels are written; an empty string is none.
///
/// `None` where `devices` is missing, so that this is no such file.
pub(super) fn parse(xml: &str) -> Option<GrubConfig> {
    let devices = strings(attribute(xml, "devices")?)
        .into_iter()
        .filter(|device| !device.is_empty() && device != "nodev")
        .collect();
    let string = |name| {
        let values = attribute(xml, name).map(strings)?;
        values.into_iter().find(|value| !value.is_empty())
    };
    Some(GrubConfig {
        devices,
        efi: string("grubEfi").is_some(),
        efi_target: string("grubTargetEfi"),
        boot_path: string("bootPath"),
        esp: string("efiSysMountPoint"),
        copies_kernels: attribute(xml, "copyKernels")
            .is_some_and(|value| value.contains("value=\"true\"")),
    })
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
            boot_path: Some("/boot".into()),
            ..GrubConfig::default()
        };
        assert_eq!(parse(&xml), Some(expected));
    }

    #[test]
    fn a_grub_for_efi_is_seen() {
        let parsed = parse(&config("<string value=\"nodev\" />", "/nix/store/x-grub")).unwrap();
        assert!(parsed.efi);
        assert!(parsed.devices.is_empty());
        assert_eq!(parsed.efi_target, None);
    }

    #[test]
    fn the_target_and_the_copies_of_kernels_are_read() {
        let xml = config("", "/nix/store/x-grub")
            + "<attr name=\"copyKernels\"><bool value=\"true\" /></attr>\
               <attr name=\"efiSysMountPoint\"><string value=\"/efi\" /></attr>\
               <attr name=\"grubTargetEfi\"><string value=\"i386-efi\" /></attr>";
        let parsed = parse(&xml).unwrap();
        assert_eq!(parsed.efi_target.as_deref(), Some("i386-efi"));
        assert_eq!(parsed.esp.as_deref(), Some("/efi"));
        assert!(parsed.copies_kernels);
    }

    #[test]
    fn other_text_is_no_grub_configuration() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("<attr name=\"devices\"><list>"), None);
    }
}
