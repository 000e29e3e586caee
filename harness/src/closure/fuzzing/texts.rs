use std::fmt::Write as _;

use crate::closure::grub_menu::{self, Does, GrubEntry};
use crate::closure::survey::specifiers::expanded;
use crate::closure::survey::udev_rules::started_in;
use crate::closure::unit_file::{UnitFile, command_lines, command_words, split_words};
use crate::closure::{bootspec as boot_json, fstab as file_systems, grub_config as grub_xml};
use crate::vocabulary::FileSystem;

/// A unit: an assignment is one line, and nothing grows beyond the text.
pub fn unit(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut unit = UnitFile::default();
    unit.add(&text);
    let assignments = unit.assignments();
    let lines = assignments.lines().count();
    assert!(lines <= text.lines().count());
    assert!(assignments.len() <= text.len() + lines * (4 * 64 + 4));
    assert!(assignments.lines().all(|line| line.starts_with('[')));
    for key in ["ExecStart", "Wants"] {
        for command in unit.list("Service", key) {
            assert_eq!(command, command.trim());
            let words = command_words(command);
            let total: usize = words.iter().map(String::len).sum();
            assert!(total <= command.len(), "{command}: {words:?}");
        }
    }
    let lines = command_lines(&text);
    assert!(lines.iter().map(|line| line.len()).sum::<usize>() <= text.len());
    if let Some(path) = expanded(&text, "a-b@c\\x2d-d.service") {
        assert!(text.contains('%') || path == text);
    }
    // Quoted as systemd quotes them, words stay as they are.
    let words = split_words(&text);
    let quote = |word: &String| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    let quoted: Vec<String> = words.iter().map(quote).collect();
    assert_eq!(split_words(&quoted.join(" ")), words);
}

/// `boot.json` and kernel parameters: an error is a sentence, and parameters that are joined split as before.
pub fn bootspec(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parsed = boot_json::parse_bootspec(&text);
    assert_eq!(parsed, boot_json::parse_bootspec(&text));
    if let Err(reason) = parsed {
        assert!(reason.len() < 1000, "{} bytes of reason", reason.len());
    }
    let params = boot_json::split_kernel_params(&text);
    assert!(params.iter().all(|param| !param.is_empty()));
    assert_eq!(boot_json::split_kernel_params(&params.join(" ")), params);
    let without = boot_json::parse_kernel_params(&text);
    assert!(without.iter().all(|param| !param.starts_with("init=")));
}

/// fstab(5): written again, with blanks and the like as octal numbers, it is the same table.
pub fn fstab(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parsed = file_systems::parse(&text);
    let mut written = String::new();
    for FileSystem {
        device,
        mount_point,
        fs_type,
        options,
    } in &parsed
    {
        let fields = [device, mount_point, fs_type];
        assert!(fields.iter().all(|field| !field.is_empty()));
        for field in fields {
            written.push_str(&escape(field));
            written.push(' ');
        }
        // A comma alone is a field without options.
        let _ = writeln!(written, ",{}", escape(&options.join(",")));
    }
    assert_eq!(file_systems::parse(&written), parsed);
}

/// GRUB's configuration as NixOS writes it for its installer.
pub fn grub_config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parsed = grub_xml::parse(&text);
    assert_eq!(parsed, grub_xml::parse(&text));
    let devices = parsed.map(|config| config.devices).unwrap_or_default();
    assert!(devices.iter().all(|d| !d.is_empty() && d != "nodev"));
    let total: usize = devices.iter().map(String::len).sum();
    assert!(total <= text.len());
}

/// Rules of udev: what they start is fixed, and stands in them but for escapes.
pub fn udev(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let programs = started_in(&text);
    assert_eq!(programs, started_in(&text));
    assert!(programs.iter().all(|p| !p.contains(['$', '%', ':'])));
    let total: usize = programs.iter().map(String::len).sum();
    assert!(total <= text.len());
}

/// A menu of GRUB's: written again, every word in quotes, it is the same, and the default is one of its entries.
pub fn grub_menu(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let menu = grub_menu::parse(&text);
    let mut written = String::new();
    if let Some(default) = &menu.default {
        let _ = writeln!(written, "set {}", quoted(&format!("default={default}")));
    }
    write_menu(&menu.entries, 0, &mut written);
    let again = grub_menu::parse(&written);
    assert_eq!(again.entries, menu.entries, "{written}");
    assert_eq!(again.default, menu.default, "{written}");
    if let Some(entry) = menu.default_entry() {
        assert!(matches!(entry.does, Does::Start(_)));
    }
}

fn write_menu(entries: &[GrubEntry], depth: usize, text: &mut String) {
    assert!(depth <= 17, "submenus nest too deep");
    for entry in entries {
        let GrubEntry {
            title, id, does, ..
        } = entry;
        let id = id.iter().map(|id| format!(" --id {}", quoted(id)));
        let mut head = quoted(title) + &id.collect::<String>();
        if entry.is_unrestricted {
            head.push_str(" --unrestricted");
        }
        let start = match does {
            Does::Opens(inner) => {
                let _ = writeln!(text, "submenu {head} {{");
                write_menu(inner, depth + 1, text);
                text.push_str("}\n");
                continue;
            }
            Does::Start(start) => start,
        };
        let words = |words: &[String]| {
            words
                .iter()
                .map(|w| " ".to_owned() + &quoted(w))
                .collect::<String>()
        };
        let _ = writeln!(text, "menuentry {head} {{");
        let kernel = match &start.hypervisor {
            Some(hypervisor) => {
                let _ = writeln!(text, "multiboot {}", quoted(hypervisor));
                "module"
            }
            None => "linux",
        };
        if let Some(path) = &start.kernel {
            let _ = writeln!(text, "{kernel} {}{}", quoted(path), words(&start.params));
        }
        if !start.initrds.is_empty() {
            let _ = writeln!(text, "initrd{}", words(&start.initrds));
        }
        text.push_str("}\n");
    }
}

fn quoted(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('$', "\\$"))
}

fn escape(field: &str) -> String {
    let mut escaped = String::new();
    for c in field.chars() {
        if c.is_ascii_whitespace() || matches!(c, '\\' | '#') || c.is_ascii_control() {
            let _ = write!(escaped, "\\{:03o}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}
