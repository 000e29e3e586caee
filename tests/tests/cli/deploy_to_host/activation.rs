//! A deploy that was let through, and what is told of its end.

use std::fs;

use super::Deploy;

#[test]
fn what_was_proven_is_copied_activated_and_proven_to_be_there() {
    let deploy = Deploy::proven();
    let (store, new) = (deploy.place("store"), deploy.sandbox.toplevel.path.clone());
    let told = deploy.run(&[]);
    let words = [
        "the newest receipt for web is of",
        "may be deployed to web",
        "| activating the configuration...",
        "pass: web runs",
        "the next boot starts the candidate",
    ];
    deploy.assert(told, 0, &words);
    let log = deploy.host.log();
    let done: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("ssh "))
        .collect();
    let run = "systemd-run -E LOCALE_ARCHIVE -E NIXOS_INSTALL_BOOTLOADER= --collect --no-ask-password --quiet --service-type=exec --wait";
    let unit = "--unit=nixos-rebuild-switch-to-configuration";
    let log_file = "--property=StandardOutput=append:/run/bootproof-switch.log --property=StandardError=append:/run/bootproof-switch.log";
    assert_eq!(
        done,
        [
            format!("nix-copy-closure --store {store} --to root@web {new}"),
            format!("{run} true"),
            format!("nix-env --profile /nix/var/nix/profiles/system --set {new}"),
            format!("{run} {unit} {log_file} {new}/bin/switch-to-configuration switch"),
        ]
    );
    let ssh = "ssh -oConnectTimeout=30 -oServerAliveInterval=10 -oServerAliveCountMax=3 -T -- root@web sh -s";
    assert_eq!(log[0], ssh);

    // Once more: it is there, and nothing is done.
    let before = deploy.host.log().len();
    deploy.assert(
        deploy.candidate(),
        0,
        &["web runs the candidate already", "pass: web runs"],
    );
    assert!(
        deploy.host.log()[before..]
            .iter()
            .all(|line| line.starts_with("ssh "))
    );
    deploy.sandbox.assert_no_litter();
}

#[test]
fn a_closure_that_is_there_is_not_copied() {
    let deploy = Deploy::proven();
    for name in ["store-paths", "registration"] {
        let text = fs::read_to_string(deploy.sandbox.place("store").join(name)).unwrap();
        deploy.host.has(name, &text);
    }
    deploy.assert(deploy.candidate(), 0, &["pass: web runs"]);
    assert!(
        !deploy
            .host
            .log()
            .iter()
            .any(|line| line.starts_with("nix-copy"))
    );
}

#[test]
fn a_port_and_another_destination_are_told_to_ssh() {
    let deploy = Deploy::proven();
    let told = deploy.run(&["--to", "ssh://root@localhost:2222", "--use-substitutes"]);
    deploy.assert(told, 0, &["pass"]);
    let log = deploy.host.log();
    assert!(
        log[0].ends_with("-- ssh://root@localhost:2222 sh -s"),
        "{log:?}"
    );
    let copied = log
        .iter()
        .find(|line| line.starts_with("nix-copy"))
        .unwrap();
    assert!(
        copied.contains("--use-substitutes --to root@localhost /nix"),
        "{copied}"
    );
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let deploy = Deploy::proven();
    let words = [
        "may be deployed to web",
        "would copy",
        "would set",
        "would run",
    ];
    deploy.assert(deploy.run(&["--dry-run"]), 0, &words);
    deploy.assert_untouched();
}

#[test]
fn a_copy_that_fails_activates_nothing() {
    let deploy = Deploy::proven();
    deploy.host.has("copy-fails", "");
    let words = ["No space left on device", "nothing was activated"];
    deploy.assert(deploy.candidate(), 2, &words);
    deploy.assert_not_activated();
}

#[test]
fn a_profile_that_cannot_be_set_is_not_switched_to() {
    let deploy = Deploy::proven();
    deploy.host.has("profile-fails", "");
    let words = ["the system profile could not be set: nix-env ended with 1"];
    deploy.assert(deploy.candidate(), 1, &words);
    assert_eq!(deploy.host.told("current"), deploy.sandbox.baseline.path);
}

#[test]
fn a_switch_that_fails_is_told_with_what_runs_now_and_what_boots() {
    let deploy = Deploy::proven();
    deploy.host.has("switch-fails", "4");
    let words = [
        "fail: web is not as it must be",
        "the switch ended with 4: units failed",
        "current-system is the candidate",
        "the next boot starts the candidate",
        "to go back, on web: nix-env",
    ];
    deploy.assert(deploy.candidate(), 1, &words);
    let deploy = Deploy::proven();
    deploy.host.has("switch-fails", "1");
    deploy.host.has("keeps-boot-entry", "");
    let old = &deploy.sandbox.baseline.path;
    let words = [
        "the switch ended with 1",
        &format!("current-system is {old}, and not the candidate"),
        "the system profile is the candidate",
        &format!("the next boot starts {old}, by default of /boot/grub/grub.cfg"),
    ];
    deploy.assert(deploy.candidate(), 1, &words);
}

#[test]
fn a_boot_entry_that_stays_behind_fails_and_one_that_nobody_can_read_is_unproven() {
    let deploy = Deploy::proven();
    deploy.host.has("keeps-boot-entry", "");
    deploy.assert(
        deploy.candidate(),
        1,
        &["the next boot starts", "and not the candidate"],
    );
    let deploy = Deploy::proven();
    deploy.host.has("keeps-boot-entry", "");
    fs::remove_file(deploy.host.directory().join("files/boot/grub/grub.cfg")).unwrap();
    deploy.assert(
        deploy.candidate(),
        3,
        &["unproven", "the next boot is not known"],
    );
}

#[test]
fn what_systemd_boot_starts_is_read_and_an_old_grub_cfg_is_not() {
    let deploy = Deploy::new();
    let (new, old) = (&deploy.sandbox.toplevel, &deploy.sandbox.baseline.path);
    deploy.proves(|_| {});
    deploy.host.has("keeps-boot-entry", "");
    for directory in [
        "sys/firmware/efi",
        "run/current-system/bin",
        "boot/loader/entries",
    ] {
        fs::create_dir_all(deploy.host.directory().join("files").join(directory)).unwrap();
    }
    let script = format!(
        "#!/bin/sh\nexport INSTALL_BOOTLOADER='/nix/store/{}-systemd-boot'\n",
        "0".repeat(32)
    );
    let switch = "files/run/current-system/bin/switch-to-configuration";
    deploy.host.has(switch, &script);
    deploy
        .host
        .has("files/boot/loader/loader.conf", "timeout 5");
    deploy.assert(
        deploy.candidate(),
        3,
        &["systemd-boot has no entry that starts a Linux"],
    );

    let conf = "timeout 5\ndefault nixos-generation-2.conf";
    deploy.host.has("files/boot/loader/loader.conf", conf);
    for (generation, toplevel) in [(1, old), (2, &new.path)] {
        let name = format!("files/boot/loader/entries/nixos-generation-{generation}.conf");
        let entry = format!("title NixOS\nlinux /k\noptions init={toplevel}/init loglevel=4");
        deploy.host.has(&name, &entry);
    }
    deploy.assert(
        deploy.candidate(),
        0,
        &["the next boot starts the candidate"],
    );
    let conf = "default nixos-generation-1.conf";
    deploy.host.has("files/boot/loader/loader.conf", conf);
    deploy.assert(
        deploy.candidate(),
        1,
        &["the next boot starts", "and not the candidate"],
    );
}

#[test]
fn a_connection_that_breaks_during_the_switch_is_no_success_and_no_failure() {
    let deploy = Deploy::proven();
    deploy.host.has("cut", "");
    let words = [
        "the connection was lost during the switch",
        "how the switch ended is not known",
        "current-system is the candidate",
    ];
    deploy.assert(deploy.candidate(), 3, &words);
}

#[test]
fn a_host_without_systemd_run_is_switched_without_it() {
    let deploy = Deploy::proven();
    deploy.host.has("no-systemd-run", "");
    deploy.assert(
        deploy.candidate(),
        0,
        &["systemd-run does not work here", "pass: web runs"],
    );
}
