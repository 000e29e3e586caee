use super::*;
use crate::audit::testing::{NEW, OLD, Recorded, audited, efi_variable, healthy};
use crate::vocabulary::{ElfClass, Verdict};

/// A machine of systemd-boot with two generations.
fn with_systemd_boot() -> Recorded {
    let mut machine = healthy();
    machine
        .end("text /boot/grub/grub.cfg", "absent")
        .say("firmware", "efi")
        .say(
            "text /boot/loader/loader.conf",
            "timeout 5\ndefault nixos-generation-2.conf\nconsole-mode keep\n",
        )
        .say("link /nix/var/nix/profiles/system", NEW)
        .say("link /run/current-system", NEW)
        .say("link /run/booted-system", NEW)
        .toplevel(NEW, ElfClass::X86_64);
    for (generation, toplevel) in [("1", OLD), ("2", NEW)] {
        let text = format!(
            "title NixOS\nsort-key nixos\nversion Generation {generation} NixOS 24.11, built on 2026-01-01\n\
             linux /EFI/nixos/{generation}-bzImage.efi\ninitrd /EFI/nixos/{generation}-initrd.efi\noptions init={toplevel}/init loglevel=4\n"
        );
        machine.say(
            &format!("entry /boot/loader/entries/nixos-generation-{generation}.conf"),
            text,
        );
        for file in ["bzImage", "initrd"] {
            let path = format!("/boot/EFI/nixos/{generation}-{file}.efi");
            machine.say(&format!("size {path}"), "9000000");
        }
        machine.say("directory /boot/EFI/nixos", "");
    }
    machine
}

fn started(machine: &Recorded) -> NextBoot {
    machine.machine().next.unwrap()
}

#[test]
fn the_configured_entry_of_systemd_boot_is_started() {
    let machine = with_systemd_boot();
    let next = started(&machine);
    assert_eq!(next.toplevel.as_deref(), Some(NEW));
    assert_eq!(next.chosen_by, "default of /boot/loader/loader.conf");
    assert_eq!(
        next.kernel.unwrap().path.as_deref(),
        Some("/boot/EFI/nixos/2-bzImage.efi")
    );
    let audit = audited(&machine);
    assert_eq!(audit.verdict, Verdict::Pass, "{audit:#?}");
}

#[test]
fn variables_are_stronger_than_the_file_and_one_shot_than_all() {
    let mut machine = with_systemd_boot();
    machine.say(
        "efi LoaderEntryDefault",
        efi_variable("nixos-generation-1.conf"),
    );
    let next = started(&machine);
    assert_eq!(
        (next.toplevel.as_deref(), next.on_purpose),
        (Some(OLD), true)
    );
    machine.say(
        "efi LoaderEntryOneShot",
        efi_variable("nixos-generation-2.conf"),
    );
    assert_eq!(started(&machine).toplevel.as_deref(), Some(NEW));
    machine.say("efi LoaderEntryOneShot", efi_variable("gone.conf"));
    assert_eq!(started(&machine).toplevel.as_deref(), Some(OLD));
}

#[test]
fn the_last_that_was_booted_may_be_the_default() {
    let mut machine = with_systemd_boot();
    machine
        .say("text /boot/loader/loader.conf", "default @saved\n")
        .say(
            "efi LoaderEntryLastBooted",
            efi_variable("nixos-generation-1.conf"),
        );
    assert_eq!(started(&machine).toplevel.as_deref(), Some(OLD));
}

#[test]
fn without_a_default_the_newest_generation_is_started() {
    let mut machine = with_systemd_boot();
    machine.end("text /boot/loader/loader.conf", "absent");
    assert_eq!(started(&machine).toplevel.as_deref(), Some(NEW));
}

#[test]
fn a_kernel_that_is_not_on_the_esp_is_found() {
    let mut machine = with_systemd_boot();
    machine.end("size /boot/EFI/nixos/2-bzImage.efi", "absent");
    let audit = audited(&machine);
    assert_eq!(
        audit.findings[0].id(),
        "next-entry//boot/EFI/nixos/2-bzImage.efi"
    );
    machine.end("directory /boot/EFI/nixos", "absent");
    assert_eq!(audited(&machine).verdict, Verdict::Pass);
}

#[test]
fn unified_images_are_entries_with_the_newest_first() {
    let mut machine = with_systemd_boot();
    machine
        .forget("entry ")
        .say("text /boot/loader/loader.conf", "timeout 3\n");
    for (name, toplevel) in [("9-abc", OLD), ("10-xyz", NEW)] {
        let path = format!("/boot/EFI/Linux/nixos-generation-{name}.efi");
        machine
            .say(&format!("image {path}"), format!("init={toplevel}/init\n"))
            .say(&format!("size {path}"), "900000");
    }
    let next = started(&machine);
    assert_eq!(next.toplevel.as_deref(), Some(NEW));
    assert_eq!(audited(&machine).verdict, Verdict::Pass);
    machine.say(
        "efi LoaderEntryOneShot",
        efi_variable("nixos-generation-9-abc.efi"),
    );
    assert_eq!(started(&machine).toplevel.as_deref(), Some(OLD));
}

#[test]
fn an_image_whose_command_line_is_not_read_is_unproven() {
    let mut machine = with_systemd_boot();
    machine
        .forget("entry ")
        .say("image /boot/EFI/Linux/nixos-generation-2-abc.efi", "");
    let audit = audited(&machine);
    assert_eq!(audit.verdict, Verdict::Unproven);
    assert!(
        audit.headline.contains("names no toplevel"),
        "{}",
        audit.headline
    );
    let mut mixed = with_systemd_boot();
    mixed
        .say("text /boot/loader/loader.conf", "")
        .say("image /boot/EFI/Linux/x.efi", "");
    let error = mixed.machine().next.unwrap_err();
    assert!(error.contains("neither is the default"), "{error}");
}

#[test]
fn of_two_menus_the_one_in_use_counts() {
    let mut machine = with_systemd_boot();
    machine.say(
        "text /boot/grub/grub.cfg",
        crate::audit::testing::grub_cfg(OLD, "/nix/store/x"),
    );
    let error = machine.machine().next.unwrap_err();
    assert!(error.contains("which of them is in use"), "{error}");
    machine.say("efi LoaderInfo", efi_variable("systemd-boot 256.7"));
    assert_eq!(started(&machine).loader, "systemd-boot");
    let installer =
        "INSTALL_BOOTLOADER=/nix/store/44444444444444444444444444444444-install-grub.sh";
    machine.say("installer", installer);
    assert_eq!(started(&machine).loader, "GRUB");
}

#[test]
fn a_machine_without_a_menu_says_why() {
    let reason = |change: fn(&mut Recorded)| {
        let mut machine = healthy();
        machine.end("text /boot/grub/grub.cfg", "absent");
        change(&mut machine);
        machine.machine().next.unwrap_err()
    };
    assert!(reason(|_| {}).contains("neither grub/grub.cfg"));
    assert!(
        reason(|m| {
            m.say("uid", "1000");
        })
        .contains("only root")
    );
    let said = reason(|m| {
        let path = "/nix/store/44444444444444444444444444444444-extlinux-conf-builder.sh";
        m.say("installer", format!("INSTALL_BOOTLOADER={path}"));
    });
    assert!(said.contains("extlinux"), "{said}");
    let unreadable = {
        let mut machine = healthy();
        machine.end("text /boot/grub/grub.cfg", "unreadable");
        machine.machine().next.unwrap_err()
    };
    assert_eq!(unreadable, "/boot/grub/grub.cfg: it cannot be read");
}

/// The default as `install-grub.pl` has it set: for one boot by `grub-reboot`, else by number or by what was saved.
fn script_of_nixos(default: &str) -> String {
    format!(
        "if [ -s $prefix/grubenv ]; then\n  load_env\nfi\nif [ \"${{next_entry}}\" ]; then\n  set default=\"${{next_entry}}\"\n  \
         set next_entry=\n  save_env next_entry\n  set timeout=1\n  set boot_once=true\nelse\n  set default={default}\n  set timeout=5\nfi\n\
         menuentry \"NixOS - Default\" --unrestricted {{\n  search --set=drive1 --fs-uuid 1234-ABCD\n  \
         linux ($drive1)//kernels/new-bzImage init={NEW}/init\n  initrd ($drive1)//kernels/new-initrd\n}}\n\
         submenu \"NixOS - All configurations\" --class submenu {{\n  menuentry \"NixOS - Configuration 1\" {{\n    \
         linux ($drive1)//kernels/old-bzImage init={OLD}/init\n    initrd ($drive1)//kernels/old-initrd\n  }}\n}}\n"
    )
}

#[test]
fn the_environment_of_grub_chooses_as_its_script_says() {
    let toplevel = |default: &str, environment: &str| {
        let mut machine = healthy();
        machine
            .say("text /boot/grub/grub.cfg", script_of_nixos(default))
            .say(
                "text /boot/grub/grubenv",
                format!("# GRUB Environment Block\n{environment}####"),
            );
        let next = started(&machine);
        (next.toplevel.unwrap(), next.on_purpose)
    };
    let older = "NixOS - All configurations>NixOS - Configuration 1";
    assert_eq!(toplevel("0", ""), (NEW.to_owned(), false));
    assert_eq!(toplevel("0", "saved_entry=1>0\n"), (NEW.to_owned(), false));
    let next = format!("next_entry={older}\n");
    assert_eq!(toplevel("0", &next), (OLD.to_owned(), true));
    let saved = "\"${saved_entry}\"";
    assert_eq!(
        toplevel(saved, &format!("saved_entry={older}\n")),
        (OLD.to_owned(), true)
    );
    assert_eq!(toplevel(saved, "saved_entry=\n"), (NEW.to_owned(), false));
}

#[test]
fn a_copied_kernel_is_looked_for_where_the_installer_puts_it() {
    let mut machine = healthy();
    machine.say("text /boot/grub/grub.cfg", script_of_nixos("0"));
    let next = started(&machine);
    let kernel = next.kernel.unwrap();
    assert_eq!(kernel.path.as_deref(), Some("/boot/kernels/new-bzImage"));
    assert_eq!(kernel.presence, Presence::Unknown);
    machine
        .say("directory /boot/kernels", "")
        .end("size /boot/kernels/new-bzImage", "absent");
    assert_eq!(started(&machine).kernel.unwrap().presence, Presence::Gone);
}

fn unknown(machine: &Recorded) -> String {
    machine.machine().next.unwrap_err()
}

#[test]
fn a_menu_that_waits_for_ever_starts_nothing_by_itself() {
    let mut machine = with_systemd_boot();
    machine.say(
        "text /boot/loader/loader.conf",
        "timeout menu-force\ndefault nixos-generation-2.conf\n",
    );
    assert!(unknown(&machine).contains("menu-force"));
    let mut machine = healthy();
    let script = format!("set timeout=1\n{}set timeout=-1\n", script_of_nixos("0"));
    machine.say("text /boot/grub/grub.cfg", script);
    assert!(unknown(&machine).contains("timeout=-1"));
}

#[test]
fn an_entry_that_asks_for_a_password_starts_nothing_by_itself() {
    let mut machine = healthy();
    let script = format!("set superusers=\"root\"\n{}", script_of_nixos("0"));
    machine.say("text /boot/grub/grub.cfg", script.as_str());
    assert!(machine.machine().next.is_ok());
    let restricted = script.replace(" --unrestricted", "");
    machine.say("text /boot/grub/grub.cfg", restricted);
    assert!(unknown(&machine).contains("password"));
}

#[test]
fn what_another_bootloader_has_left_behind_is_no_menu() {
    let mut machine = with_systemd_boot();
    machine.say(
        "installer",
        "INSTALL_BOOTLOADER=/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-limine-install.py",
    );
    assert!(unknown(&machine).contains("limine"));
}

#[test]
fn a_wish_for_two_kinds_of_entries_is_not_decided() {
    let mut machine = with_systemd_boot();
    machine
        .say("text /boot/loader/loader.conf", "default nixos-*\n")
        .say(
            "image /boot/EFI/Linux/nixos-generation-3.efi",
            format!("init={NEW}/init"),
        );
    assert!(unknown(&machine).contains("means both"));
}

#[test]
fn an_entry_that_starts_no_linux_is_not_passed_over() {
    let mut machine = with_systemd_boot();
    machine.say("efi LoaderEntryOneShot", efi_variable("auto-windows"));
    assert!(unknown(&machine).contains("auto-windows"));
    machine
        .say("efi LoaderEntryOneShot", efi_variable("memtest86.conf"))
        .say(
            "entry /boot/loader/entries/memtest86.conf",
            "title Memtest\nefi /efi/memtest86/memtest.efi\n",
        );
    assert!(unknown(&machine).contains("memtest86.conf"));
}
