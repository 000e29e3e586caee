//! The guests that tests play, as scripts.

use crate::FakeToplevel;
use crate::fake_formats;
use crate::fake_qemu::{Act, Answer, Script};

/// The first boot of every guest here.
pub const FIRST_BOOT: &str = "0c6cbd2a-6d4c-4f9e-a5c1-6f6f4d1f0a11";
/// The boot after the reboot.
pub const SECOND_BOOT: &str = "5a1de1c1-98c4-4b3f-bd3e-0d5f24a0b222";

const PROVISION_BOOT: &str = "11111111-98c4-4b3f-bd3e-0d5f24a0b222";

const KERNEL_LINE: &str = "[    0.000000] Linux version 6.6.63 (nixbld@localhost)\r\n";

/// A machine that proves an accelerator, installs the bootloader, and then does `boot`.
pub fn that_boots(boot: Vec<Act>) -> Script {
    Script {
        proof: vec![Act::ProveAccelerator],
        provision: vec![
            Act::OpenMonitor,
            Act::Console(KERNEL_LINE.to_owned()),
            Act::GreetShell(PROVISION_BOOT.to_owned()),
            Act::Serve(vec![
                Answer::new("is-system-running", "running\n"),
                Answer::new("NIXOS_INSTALL_BOOTLOADER=1", "updating GRUB 2 menu...\n"),
            ]),
        ],
        boot: [vec![Act::OpenMonitor], boot].concat(),
    }
}

/// A machine that boots `toplevel`, is healthy, reboots when it is told to, and is healthy again.
pub fn healthy(toplevel: &FakeToplevel) -> Script {
    that_boots(healthy_boots(toplevel))
}

/// What [`healthy`] does after its monitor is open.
pub fn healthy_boots(toplevel: &FakeToplevel) -> Vec<Act> {
    let boot = |boot_id: &str| {
        [
            Act::Console(KERNEL_LINE.to_owned()),
            Act::GreetShell(boot_id.to_owned()),
            Act::Serve(healthy_answers(toplevel, boot_id)),
        ]
    };
    let mut acts = Vec::from(boot(FIRST_BOOT));
    acts.push(Act::Reset);
    acts.extend(boot(SECOND_BOOT));
    // The second shell is only left when the harness takes the power away.
    acts.push(Act::Hang);
    acts
}

/// A disk that the firmware cannot boot from.
pub fn without_bootable_disk() -> Script {
    that_boots(vec![
        Act::Console("SeaBIOS (version 1.16.2)\r\nNo bootable device.\r\n".to_owned()),
        Act::Hang,
    ])
}

/// A kernel that finds no root.
pub fn that_panics() -> Script {
    that_boots(vec![
        Act::Console(KERNEL_LINE.to_owned()),
        Act::Console(format!("[    1.0] {PANIC}\r\n")),
        Act::Hang,
    ])
}

/// What [`that_panics`] says.
pub const PANIC: &str = "Kernel panic - not syncing: VFS: Unable to mount root fs";

/// A guest that resets before anybody greets.
pub fn in_a_boot_loop() -> Script {
    that_boots(vec![Act::ResetForEver(KERNEL_LINE.to_owned())])
}

/// A machine that goes off before a kernel was seen.
pub fn that_goes_off() -> Script {
    that_boots(Vec::new())
}

/// A guest of which nothing is heard.
pub fn that_hangs() -> Script {
    that_boots(vec![Act::Hang])
}

/// A guest of which nothing is heard while it is to install its bootloader.
pub fn that_hangs_while_it_installs() -> Script {
    Script {
        provision: vec![Act::OpenMonitor, Act::Hang],
        ..that_boots(Vec::new())
    }
}

/// The answers of a guest in which all is well.
fn healthy_answers(toplevel: &FakeToplevel, boot_id: &str) -> Vec<Answer> {
    vec![
        Answer::new("is-system-running", "running\n"),
        Answer::new("say machine", identity(&toplevel.path, boot_id)),
        Answer::new("systemctl show", units()),
        Answer::new("journalctl", journal()),
    ]
}

fn identity(toplevel: &str, boot_id: &str) -> String {
    let header = fake_formats::elf_in_hex();
    format!(
        "machine=x86_64\nrelease=6.6.63\nboot_id={boot_id}\nbooted={toplevel}\ncurrent={toplevel}\n\
         profile={toplevel}\nsystem=x86_64-linux\npid1={header}\ncmdline=console=ttyS0,115200\n"
    )
}

fn units() -> String {
    let unit = |id: &str, more: &str| {
        format!("Id={id}\nLoadState=loaded\nActiveState=active\nResult=success\n{more}")
    };
    let names = "Names=multi-user.target default.target\nSubState=active\nWants=nginx.service\n";
    let service = "Names=nginx.service\nSubState=running\nType=simple\nNRestarts=0\n";
    [
        unit("multi-user.target", names),
        unit("nginx.service", service),
    ]
    .join("\n")
}

fn journal() -> String {
    let kernel = serde_json::json!({
        "MESSAGE": "Linux version 6.6.63", "_TRANSPORT": "kernel", "__MONOTONIC_TIMESTAMP": "10",
    });
    format!("{kernel}\n")
}
