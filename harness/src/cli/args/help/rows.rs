//! The texts.

use super::Row;

/// What `bootproof` says to who names no command: its three uses.
pub(in crate::cli) const FIRST_SCREEN: &str = "\
bootproof takes the NixOS closure that you are about to deploy, and says whether
this store path is proven for this machine: it works now AND after a reboot.

The gate before a deploy: nothing reaches a machine but what was rehearsed
  $ bootproof init ./result
  $ bootproof key generate ci.example.org-1 ci.secret
  $ bootproof test --toplevel ./result --baseline OLD --host web --key ci.secret
  $ bootproof deploy --host web

A look for yourself: at a build, at its files, at a live machine's next boot
  $ bootproof test --toplevel ./result --baseline /run/current-system
  $ bootproof inspect ./result --baseline /run/current-system
  $ bootproof audit root@web

Regression scenarios: faults of boots and deploys that must be found
  $ bootproof test --lab target/lab --scenario outage-2023-08-08

Can this machine rehearse, and how long does it take?   bootproof doctor
All commands: bootproof --help     One of them, with examples: bootproof test -h
";

const VERDICT: &str = "0 pass, 1 fail, 2 bad usage or trouble of the host, 3 unproven: something that the verdict depends on \
    could not be observed.";

pub(super) const ROWS: &[Row] = &[
    Row {
        command: "test",
        does: "Reads the candidate's files, boots the baseline in QEMU through firmware and bootloader, switches to the candidate as \
            `nixos-rebuild switch` does, reboots, and evaluates the same checks in each state. A fault that shows only after the \
            reboot is called latent. What happened is recorded in a directory, from which `bootproof report` tells it again; where \
            the verdict is not pass, the disk is kept there for `bootproof debug`.",
        exits: "0 pass, 1 fail (or not as approved), 2 bad usage or trouble of the host, 3 unproven: something that the verdict \
            depends on could not be observed. With --scenario, 0 says that each came out as it must, and 1 that one did not.",
        examples: &[
            (
                "bootproof test --toplevel ./result --baseline /run/current-system",
                "Would this build survive its deploy and a reboot on this machine?",
            ),
            (
                "bootproof test --toplevel ./result --expect-system x86_64-linux",
                "Boot it and reboot it, without a baseline.",
            ),
            (
                "bootproof test --toplevel ./result --hold booted",
                "Log in to the guest when it has booted, and look for yourself.",
            ),
            (
                "bootproof test --flake .#web --from-host root@web",
                "Build web's configuration, and rehearse it upon what web runs now.",
            ),
            (
                "bootproof test --closure ./closure --dry-run",
                "What would be done with nixpkgs' closureInfo, and how long it takes.",
            ),
        ],
    },
    Row {
        command: "inspect",
        does: "Follows every command of every unit to program, loader and libraries, and asks whether the closure's kernel runs it; \
            holds kernel, initrd, modules, fstab, bootloader and expectation against each other; and tells what the deploy changes. \
            Nothing of the closure is run. `bootproof test` does the same first.",
        exits: "0 nothing in the files stands against a boot, 1 fail, 2 bad usage or trouble of the host, 3 unproven.",
        examples: &[
            (
                "bootproof inspect ./result --baseline /run/current-system",
                "What would this build change here, and would it survive a reboot?",
            ),
            (
                "bootproof inspect ./result --disk nvme --boot-free 180M",
                "Would it find its disk there, and does a kernel more fit on its /boot?",
            ),
            (
                "bootproof inspect ./result --expect-system x86_64-linux --format json",
                "For a deploy script.",
            ),
            (
                "bootproof inspect --build-command 'deploy-tool build web' --flake .#web",
                "Does the deploy tool build what the flake means?",
            ),
        ],
    },
    Row {
        command: "report",
        does: "Makes the same report again from the plan and the observations in the directory, without a VM.",
        exits: VERDICT,
        examples: &[
            ("bootproof report RUN_DIR", "What was found, and why."),
            (
                "bootproof report RUN_DIR --format markdown > summary.md",
                "For a CI summary or a ticket.",
            ),
        ],
    },
    Row {
        command: "approve",
        does: "A pass says that no check failed, and not that the machine still does what it did. The approved report lies beside \
            bootproof.toml, to be committed; a later run of the host that differs fails, and says in which lines.",
        exits: "0 it is approved, 2 bad usage or trouble of the host.",
        examples: &[(
            "bootproof approve RUN_DIR --host web",
            "What this run found is expected from now on.",
        )],
    },
    Row {
        command: "gate",
        does: "Asks the receipts that `bootproof test --key` left, by the policy of bootproof.toml: one must say pass of exactly this \
            candidate upon this baseline, for this host and machine, signed by a trusted key. It starts no VM and takes less than a \
            second. It prints the store path that may be deployed: deploy that, and not the link.",
        exits: "0 the gate is open, 1 it is shut, 2 bad usage or trouble of the host.",
        examples: &[
            (
                "bootproof gate ./result --host web --baseline OLD && deploy-tool web",
                "OLD is what the machine runs: ssh web readlink /run/current-system",
            ),
            (
                "bootproof gate --flake .#web --host web --from-host root@web",
                "The configuration is built, and web is asked what it runs.",
            ),
            (
                "bootproof gate ./result --host web --baseline OLD --verify",
                "Read every file of the closure again too.",
            ),
        ],
    },
    Row {
        command: "audit",
        does: "Follows the bootloader's own choice to the kernel, initrd and system that the next boot starts, and holds them against \
            what runs now. A POSIX script runs there by ssh, and writes nothing. Options of ssh are taken from NIX_SSHOPTS. What \
            cannot be read is unproven: log in as root.",
        exits: VERDICT,
        examples: &[
            (
                "bootproof audit root@web",
                "Would this machine survive its next reboot?",
            ),
            (
                "bootproof audit --local --textfile /var/lib/node_exporter/bootproof.prom",
                "For a timer: metrics for node_exporter's textfile collector.",
            ),
        ],
    },
    Row {
        command: "deploy",
        does: "Asks the host what it runs, asks the gate, copies the closure, compares the hashes that the host recorded with those \
            that were rehearsed, activates the store path, and reads back what runs and what boots next. A command after -- deploys \
            instead; {toplevel} stands for the store path in it.",
        exits: "0 the host runs and boots the candidate, 1 it does not, or the gate is shut, 2 bad usage or trouble of the host, \
            3 something could not be read back.",
        examples: &[
            (
                "bootproof deploy --host web",
                "What was proven last upon what web runs now.",
            ),
            (
                "bootproof deploy --host web ./result --dry-run",
                "Would this be let through, and what would be done?",
            ),
            (
                "bootproof deploy --host web -- deploy-tool activate web {toplevel}",
                "By somebody else's command, and what came of it is proven.",
            ),
            (
                "bootproof deploy --host web ./result --override 'the disk fills'",
                "Without a receipt: it is recorded, and told at every gate.",
            ),
        ],
    },
    Row {
        command: "key",
        does: "Keys have Nix's own format: those of a binary cache serve too. The secret one signs receipts, the public one goes into \
            trusted_keys of bootproof.toml.",
        exits: "0 done, 2 bad usage or trouble of the host.",
        examples: &[
            (
                "bootproof key generate ci.example.org-1 ci.secret",
                "Write a secret key to a new file, and print its public half.",
            ),
            (
                "bootproof key public ci.secret",
                "Print the public half again.",
            ),
        ],
    },
    Row {
        command: "init",
        does: "Reads the closure and writes what a configuration of its host needs: the expected system, what nginx serves, and the \
            secrets that its units read. It never writes over a file.",
        exits: "0 it is written, 2 bad usage or trouble of the host.",
        examples: &[
            (
                "bootproof init ./result",
                "Write bootproof.toml for the host of this build.",
            ),
            (
                "bootproof init --closure ./closure --host web --config hosts/web.toml",
                "From a directory of nixpkgs' closureInfo, to another place.",
            ),
        ],
    },
    Row {
        command: "hosts",
        does: "Prints the hosts of bootproof.toml, or those of one part: a name is always in the same part, and in no other.",
        exits: "0 done, 2 bad usage or trouble of the host.",
        examples: &[
            (
                "bootproof hosts --partition hash:2/3",
                "The second of three machines that share the rehearsals of a fleet.",
            ),
            ("bootproof hosts --format json", "For the matrix of a CI."),
        ],
    },
    Row {
        command: "cache",
        does: "A disk with the bootloader installed is made once per content, and shared by all rehearsals that need it. The cache is \
            bounded: a run that makes a disk removes those that were not used for longest, and never one in use. Two runs that \
            need the same disk make it once.",
        exits: "0 done, 2 bad usage or trouble of the host.",
        examples: &[
            (
                "bootproof cache",
                "What is there, what it takes, and when it was used.",
            ),
            (
                "bootproof cache clean --max-size 5G",
                "Remove what was not used for longest.",
            ),
        ],
    },
    Row {
        command: "doctor",
        does: "Proves an accelerator with a tiny guest, looks for the programs and the firmware that a rehearsal takes, and for room, \
            memory and processors; says what a rehearsal would use, and roughly how long it takes here.",
        exits: "0 a rehearsal can run, 2 it cannot, or bad usage: the lines that begin with `missing` say what to do.",
        examples: &[
            (
                "bootproof doctor",
                "Can this machine rehearse, and how long does it take?",
            ),
            (
                "bootproof doctor --memory 4096 --format json",
                "For a machine of 4 GiB, and for a script.",
            ),
        ],
    },
    Row {
        command: "debug",
        does: "Starts the plan's machine on an overlay of the disk that the run kept, so that the evidence stays as it is. The guest's \
            serial console is on this terminal: Ctrl-] then s is a root shell, c the console again, q the end, which takes the \
            machine's power. Without a terminal, commands on stdin are run by the root shell. It proves nothing.",
        exits: "0 the session was ended (or the commands succeeded), 1 the commands failed, 2 bad usage or trouble of the host, 3 the \
            guest offered no root shell for the commands.",
        examples: &[
            (
                "bootproof debug RUN_DIR",
                "Boot the failed state again, and watch its console.",
            ),
            (
                "bootproof debug RUN_DIR --shell",
                "With the root shell as soon as there is one.",
            ),
            (
                "echo 'systemctl --failed' | bootproof debug RUN_DIR",
                "Without a terminal.",
            ),
        ],
    },
    Row {
        command: "completions",
        does: "Prints a script that completes commands, options and their values.",
        exits: "0 done, 2 bad usage.",
        examples: &[
            (
                "bootproof completions bash > /etc/bash_completion.d/bootproof",
                "For all users of bash.",
            ),
            (
                "bootproof completions fish > ~/.config/fish/completions/bootproof.fish",
                "For fish.",
            ),
        ],
    },
    Row {
        command: "man",
        does: "Writes bootproof.1 and a page for each command, for man(1).",
        exits: "0 done, 2 bad usage or trouble of the host.",
        examples: &[(
            "bootproof man /usr/local/share/man/man1",
            "From then on: man bootproof-test",
        )],
    },
];
