//! The guests that tests play, as scripts.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::FakeToplevel;
use crate::fake_formats;
use crate::fake_qemu::{Act, Answer, MARK, Script};

/// The first boot of every guest here.
pub const FIRST_BOOT: &str = "0c6cbd2a-6d4c-4f9e-a5c1-6f6f4d1f0a11";
/// The boot after the reboot.
pub const SECOND_BOOT: &str = "5a1de1c1-98c4-4b3f-bd3e-0d5f24a0b222";

const THIRD_BOOT: &str = "6b2ef2d2-a9d5-4c40-8e4f-1e6035b1c333";

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
    boots(Guest::of(toplevel))
}

/// A machine that is like [`healthy`] but for its nginx, which fails in each boot.
pub fn with_a_failed_nginx(toplevel: &FakeToplevel) -> Script {
    that_boots(boots(Guest {
        nginx: "failed",
        ..Guest::of(toplevel)
    }))
}

/// Two boots with a reboot between them.
fn boots(guest: Guest<'_>) -> Vec<Act> {
    let mut acts = boot(FIRST_BOOT, guest.answers(FIRST_BOOT));
    acts.push(Act::Reset);
    acts.extend(boot(SECOND_BOOT, guest.answers(SECOND_BOOT)));
    // The second shell is only left when the harness takes the power away.
    acts.push(Act::Hang);
    acts
}

/// The same with a QEMU that crashes as often as told, when the guest is to reboot.
pub fn in_a_qemu_that_crashes(toplevel: &FakeToplevel, times: usize) -> Script {
    let mut acts = healthy_boots(toplevel);
    let reset = acts.iter().position(|act| matches!(act, Act::Reset));
    acts.insert(reset.unwrap_or_default(), Act::CrashAtMost(times));
    that_boots(acts)
}

/// The same, until it is rebooted on a host that leaves it no time.
pub fn on_a_busy_host(toplevel: &FakeToplevel) -> Script {
    let mut acts = healthy_boots(toplevel);
    acts.truncate(
        acts.iter()
            .position(|act| matches!(act, Act::Reset))
            .unwrap_or_default(),
    );
    let panic = "[    0.064000] Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug and send a report.\n";
    acts.extend([Act::Reset, Act::Console(panic.to_owned()), Act::Hang]);
    that_boots(acts)
}

/// A deploy of `candidate` on `baseline`, after which all is well, until the reboot: nginx fails then.
pub fn with_a_latent_fault(baseline: &FakeToplevel, candidate: &FakeToplevel) -> Script {
    let before = Guest::of(baseline);
    let switched = Guest {
        current: candidate,
        profile: candidate,
        ..before
    };
    let rebooted = Guest {
        nginx: "failed",
        ..Guest::of(candidate)
    };
    let switch = Answer::new("switch-to-configuration switch", "restarting nginx\n");
    let mut until_the_switch = before.answers(FIRST_BOOT);
    until_the_switch.push(switch.as_last());
    let mut acts = boot(FIRST_BOOT, until_the_switch);
    acts.push(Act::Serve(switched.answers(FIRST_BOOT)));
    acts.push(Act::Reset);
    acts.extend(boot(SECOND_BOOT, rebooted.answers(SECOND_BOOT)));
    acts.push(Act::Hang);
    that_boots(acts)
}

/// A machine that boots `toplevel`, then its specialisation `variant`, when that is chosen in the menu, and `toplevel` again.
pub fn that_boots_a_specialisation(toplevel: &FakeToplevel, variant: &FakeToplevel) -> Script {
    specialised(toplevel, variant, "active")
}

/// The same, with an nginx that fails in the specialisation only.
pub fn whose_specialisation_fails(toplevel: &FakeToplevel, variant: &FakeToplevel) -> Script {
    specialised(toplevel, variant, "failed")
}

fn specialised(toplevel: &FakeToplevel, variant: &FakeToplevel, nginx: &str) -> Script {
    let first = Guest {
        variant: Some(variant),
        ..Guest::of(toplevel)
    };
    let chosen = Guest {
        is_chosen: true,
        ..first
    };
    let of_variant = Guest {
        booted: variant,
        current: variant,
        nginx,
        ..first
    };
    let mut until_the_choice = first.answers(FIRST_BOOT);
    until_the_choice.push(Answer::new("# GRUB Environment Block", "").as_last());
    let mut acts = boot(FIRST_BOOT, until_the_choice);
    acts.push(Act::Serve(chosen.answers(FIRST_BOOT)));
    acts.push(Act::Reset);
    acts.extend(boot(SECOND_BOOT, of_variant.answers(SECOND_BOOT)));
    acts.push(Act::Reset);
    acts.extend(boot(THIRD_BOOT, first.answers(THIRD_BOOT)));
    acts.push(Act::Hang);
    that_boots(acts)
}

/// A machine that boots `toplevel`, and whose userspace reboots when it is told to: on its way down the old one's shell greets once more.
pub fn that_reboots_its_userspace(toplevel: &FakeToplevel) -> Script {
    let guest = Guest::of(toplevel);
    let question = "*soft-reboot*";
    let started = |at: &str| {
        Answer::new(
            question,
            format!("soft-reboot\nUserspaceTimestampMonotonic={at}\n"),
        )
    };
    let of_userspace = |at: &str| {
        let mut answers = vec![started(at)];
        answers.extend(guest.answers(FIRST_BOOT));
        answers
    };
    let greeting = Act::GreetShell(FIRST_BOOT.to_owned());
    let mut acts = boot(FIRST_BOOT, of_userspace("1"));
    acts.extend([
        greeting.clone(),
        Act::Serve(vec![started("1").as_last()]),
        greeting,
        Act::Serve(of_userspace("2")),
        Act::Hang,
    ]);
    that_boots(acts)
}

/// The host's time, as a guest's clock tells it that is right.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("{}\n", since.unwrap_or_default().as_secs())
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

/// How a menu has an entry that is chosen for one boot.
const CHOOSES: &str =
    "if [ \"${next_entry}\" ]; then\n  set default=\"${next_entry}\"\nelse\n  set default=0\nfi\n";

/// What a boot came to.
const FINGERPRINT: &str = "== kernel\nLinux 6.6.63 x86_64\n== users\nroot:0:0:/root:/bin/sh\n";

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

/// A boot up to its root shell, and what that answers.
fn boot(boot_id: &str, answers: Vec<Answer>) -> Vec<Act> {
    vec![
        Act::Console(KERNEL_LINE.to_owned()),
        Act::GreetShell(boot_id.to_owned()),
        Act::Serve(answers),
    ]
}

/// What a guest says of itself; all that is not here is well.
#[derive(Clone, Copy)]
struct Guest<'a> {
    booted: &'a FakeToplevel,
    current: &'a FakeToplevel,
    /// What its profile names, and the default entry of its menu starts.
    profile: &'a FakeToplevel,
    /// A specialisation that has an entry.
    variant: Option<&'a FakeToplevel>,
    /// Whether that is chosen for the next boot.
    is_chosen: bool,
    /// The state of `nginx.service`.
    nginx: &'a str,
}

impl<'a> Guest<'a> {
    fn of(toplevel: &'a FakeToplevel) -> Self {
        Self {
            booted: toplevel,
            current: toplevel,
            profile: toplevel,
            variant: None,
            is_chosen: false,
            nginx: "active",
        }
    }

    fn answers(&self, boot_id: &str) -> Vec<Answer> {
        let state = match self.nginx {
            "active" => "running\n",
            _ => "degraded\n",
        };
        vec![
            Answer::new("is-system-running", state),
            Answer::new("date +%s", now()),
            Answer::new("/proc/net/tcp", ""),
            Answer::new("df -lP", ""),
            Answer::new("== kernel", FINGERPRINT),
            Answer::new("say machine", self.identity(boot_id)),
            Answer::new("loader/loader.conf", self.boot_menu()),
            Answer::new("systemctl show", self.units()),
            Answer::new("journalctl", journal()),
        ]
    }

    /// What the bootloader's files say, in the frames of its question.
    fn boot_menu(&self) -> String {
        let framed = |name: &str, body: &str| format!("={MARK} {name}\n{body}\n={MARK} end 0\n");
        let entry = |of: &FakeToplevel| {
            let path = &of.path;
            format!("menuentry \"NixOS\" {{\n  linux /bzImage init={path}/init\n}}\n")
        };
        let variant = self.variant.map(entry).unwrap_or_default();
        // What was booted can be gone back to.
        let entries = entry(self.profile) + &variant + &entry(self.booted);
        let menu = match self.variant {
            Some(_) => format!("{CHOOSES}{entries}"),
            None => entries,
        };
        let chosen = match self.is_chosen {
            true => "next_entry=1",
            false => "next_entry=",
        };
        framed("boots", "/boot")
            + &framed("text /boot/grub/grub.cfg", &menu)
            + &framed("text /boot/grub/grubenv", chosen)
            + &format!("={MARK} done\n")
    }

    fn identity(&self, boot_id: &str) -> String {
        let header = fake_formats::elf_in_hex();
        let (booted, current) = (&self.booted.path, &self.current.path);
        let profile = &self.profile.path;
        format!(
            "machine=x86_64\nrelease=6.6.63\nboot_id={boot_id}\nbooted={booted}\ncurrent={current}\n\
             profile={profile}\nsystem=x86_64-linux\npid1={header}\nfirmware=SeaBIOS 1.16.2 \ncmdline=console=ttyS0,115200\n"
        )
    }

    fn units(&self) -> String {
        let nginx = self.nginx;
        let (sub_state, result) = match nginx {
            "active" => ("running", "success"),
            _ => (nginx, "exit-code"),
        };
        format!(
            "Id=multi-user.target\nNames=multi-user.target default.target\nLoadState=loaded\nActiveState=active\n\
             SubState=active\nWants=nginx.service\n\n\
             Id=nginx.service\nNames=nginx.service\nLoadState=loaded\nActiveState={nginx}\nSubState={sub_state}\n\
             Result={result}\nType=simple\nNRestarts=0\n"
        )
    }
}

fn journal() -> String {
    let kernel = serde_json::json!({
        "MESSAGE": "Linux version 6.6.63", "_TRANSPORT": "kernel", "__MONOTONIC_TIMESTAMP": "10",
    });
    format!("{kernel}\n")
}
