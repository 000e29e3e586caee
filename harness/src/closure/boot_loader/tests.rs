use super::*;
use crate::closure::testing::FakeClosure;

const XML: &str = "<attr name=\"devices\"><list><string value=\"/dev/xvda\" /></list></attr>\
                       <attr name=\"grubEfi\"><string value=\"\" /></attr>";

fn boot_loader(fake: &FakeClosure, switch: &str) -> Result<BootLoader, FileError> {
    fake.file("bin/switch-to-configuration", switch);
    let closure = fake.closure();
    read(&ClosureFiles::new(&closure))
}

fn grub_installer(fake: &FakeClosure) -> String {
    let config = fake.store_file("grub-config.xml", "", XML);
    let script = format!("#!/bin/sh\nset -e\n/nix/store/perl install-grub.pl {config} $@\n");
    fake.store_file("install-grub.sh", "", script)
}

fn grub_on_xvda() -> BootLoader {
    BootLoader::Grub {
        devices: vec!["/dev/xvda".into()],
        efi: false,
    }
}

#[test]
fn the_perl_version_names_its_installer_in_a_here_document() {
    let fake = FakeClosure::new();
    let installer = grub_installer(&fake);
    let switch = format!(
        "#! /nix/store/x-perl/bin/perl\nchomp(my $install_boot_loader = <<'EOFBOOTLOADER');\n{installer}\nEOFBOOTLOADER\n"
    );
    assert_eq!(boot_loader(&fake, &switch).unwrap(), grub_on_xvda());
}

#[test]
fn the_wrapper_of_the_rust_version_names_it_in_a_variable() {
    let fake = FakeClosure::new();
    let installer = grub_installer(&fake);
    let switch = format!("#!/bin/sh\nexport INSTALL_BOOTLOADER='{installer}'\nexec x \"$@\"\n");
    assert_eq!(boot_loader(&fake, &switch).unwrap(), grub_on_xvda());
}

#[test]
fn an_unknown_form_is_searched_for_by_name() {
    let fake = FakeClosure::new();
    let installer = grub_installer(&fake);
    assert_eq!(boot_loader(&fake, "#!/bin/sh\n").unwrap(), grub_on_xvda());
    fake.store_file("decoy-install-grub.sh", "", "");
    let switch = format!("system(\"{installer}\", $toplevel) == 0 or exit 1;");
    assert_eq!(boot_loader(&fake, &switch).unwrap(), grub_on_xvda());
}

#[test]
fn other_bootloaders_are_told_apart() {
    for (name, below, content, expected) in [
        ("install-systemd-boot.sh", "", "", BootLoader::SystemdBoot),
        ("coreutils-9.5", "bin/true", "", none()),
        ("extlinux-conf-builder.sh", "", "", other("extlinux")),
        ("bootinstall", "", "lzbt install", other("lanzaboote")),
        ("my-hook", "", "cp kernel", other("my-hook")),
    ] {
        let fake = FakeClosure::new();
        let installer = fake.store_file(name, below, content);
        let switch = format!("export INSTALL_BOOTLOADER='{installer} -g 1'\n");
        assert_eq!(boot_loader(&fake, &switch).unwrap(), expected, "{name}");
    }
    assert_eq!(boot_loader(&FakeClosure::new(), "").unwrap(), none());
}

#[test]
fn an_installer_may_name_its_disk_itself() {
    let fake = FakeClosure::new();
    let script = "device=/dev/xvda\ngrub-install \"$device\" 2>/dev/null\n";
    let installer = fake.store_file("install-grub", "", script);
    let switch = format!("system(\"{installer}\");");
    assert_eq!(boot_loader(&fake, &switch).unwrap(), grub_on_xvda());
}

#[test]
fn a_grub_without_a_readable_configuration_is_an_error() {
    let fake = FakeClosure::new();
    let installer = fake.store_file("install-grub.sh", "", "no configuration here");
    let switch = format!("INSTALL_BOOTLOADER={installer}");
    assert!(boot_loader(&fake, &switch).is_err());
}
