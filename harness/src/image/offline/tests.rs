//! On disks that the host's own tools make; a journal that was not written out is debugfs's.

use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::{FileExt as _, symlink};
use std::process::Command;

use super::*;
use crate::image::layout::{Partition, PartitionTable};

const MIB: u64 = 1 << 20;
/// Where the partitions begin, as the table says.
const ROOT_AT: u64 = MIB;
const BOOT_AT: u64 = 33 * MIB;

fn layout() -> Layout {
    let partition = |number, kind, mount_point: &str| Partition {
        number,
        kind,
        mount_point: mount_point.to_owned(),
        label: None,
        uuid: None,
        part_label: None,
        part_uuid: None,
    };
    Layout {
        table: PartitionTable::Mbr,
        room_mib: 0,
        partitions: vec![
            partition(1, PartitionKind::Ext4, "/"),
            partition(3, PartitionKind::Swap, "none"),
            partition(2, PartitionKind::Vfat, "/boot"),
        ],
        choices: Vec::new(),
    }
}

fn tool(program: &str, args: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .args(args)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A FAT of 16 MiB with one file.
fn fat(loader_conf: &str) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![0; 16 << 20]);
    fatfs::format_volume(&mut bytes, fatfs::FormatVolumeOptions::new()).unwrap();
    let volume = fatfs::FileSystem::new(&mut bytes, fatfs::FsOptions::new()).unwrap();
    let loader = volume.root_dir().create_dir("loader").unwrap();
    let mut file = loader.create_file("loader.conf").unwrap();
    file.write_all(loader_conf.as_bytes()).unwrap();
    drop(file);
    drop(loader);
    volume.unmount().unwrap();
    bytes.into_inner()
}

struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        for path in ["etc/a", "boot", "nix/store/x"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        fs::write(root.join("nix/store/x/file"), "whole").unwrap();
        fs::write(root.join("etc/menu"), "old\n").unwrap();
        symlink("/nix/store/x", root.join("current")).unwrap();
        symlink("../../current/file", root.join("etc/a/link")).unwrap();
        symlink("../boot/loader", root.join("etc/loader")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let disk = Self { directory };
        let image = disk.base();
        let file = File::create(&image).unwrap();
        file.set_len(64 * MIB).unwrap();
        let table = "label: dos\nunit: sectors\n1 : start=2048, size=65536, type=83\n2 : start=67584, size=32768, type=c\n3 : \
                     start=100352, size=2048, type=82\n";
        let image = image.to_str().unwrap();
        tool("sfdisk", &["--quiet", image], table);
        let offset = format!("offset={ROOT_AT}");
        let of = [
            "-q",
            "-F",
            "-t",
            "ext4",
            "-E",
            &offset,
            "-d",
            root.to_str().unwrap(),
            image,
            "32M",
        ];
        tool("mke2fs", &of, "");
        file.write_all_at(&fat("default one\n"), BOOT_AT).unwrap();
        disk
    }

    fn base(&self) -> PathBuf {
        self.directory.path().join("disk.raw")
    }

    fn open(&self, image: &Path, format: Format, journal: Journal) -> Offline {
        let image = File::open(image).unwrap();
        Offline::open(&image, format, &self.base(), &layout(), journal).unwrap()
    }

    fn raw(&self, journal: Journal) -> Offline {
        self.open(&self.base(), Format::Raw, journal)
    }

    /// Leaves what `/etc/menu` shall have in the journal alone.
    fn journal(&self, text: &str) {
        let device = format!("{}?offset={ROOT_AT}", self.base().display());
        let block = tool("debugfs", &["-R", "bmap /etc/menu 0", &device], "");
        let content = self.directory.path().join("content");
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(1024, 0);
        fs::write(&content, bytes).unwrap();
        let script = format!("jo -c\njw -b {} {}\njc\n", block.trim(), content.display());
        tool("debugfs", &["-w", "-f", "/dev/stdin", &device], &script);
    }
}

fn text(disk: &Offline, path: &str) -> Result<String, Unread> {
    let (bytes, length) = disk.read(path, 1000)?;
    assert_eq!(bytes.len() as u64, length);
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn files_are_found_over_links_and_mount_points() {
    let disk = Disk::new().raw(Journal::Replayed);
    assert_eq!(text(&disk, "/etc/menu").unwrap(), "old\n");
    assert_eq!(text(&disk, "/etc/a/link").unwrap(), "whole");
    assert_eq!(
        text(&disk, "/boot/loader/loader.conf").unwrap(),
        "default one\n"
    );
    assert_eq!(
        text(&disk, "/etc/loader/loader.conf").unwrap(),
        "default one\n"
    );
    assert_eq!(disk.read("/etc/menu", 2).unwrap(), (b"ol".to_vec(), 4));
    assert_eq!(disk.list("/etc/loader").unwrap(), ["loader.conf"]);
    assert_eq!(disk.list("/nix/store").unwrap(), ["x"]);
    assert_eq!(disk.fat_mount_points().collect::<Vec<_>>(), ["/boot"]);
}

#[test]
fn what_is_not_there_is_told_from_what_cannot_be_read() {
    let disk = Disk::new().raw(Journal::Replayed);
    for path in [
        "/none",
        "/etc/menu/below",
        "/boot/none",
        "/boot/loader/none",
        "/current/none",
    ] {
        assert_eq!(text(&disk, path), Err(Unread::Absent), "{path}");
    }
    assert_eq!(disk.list("/none"), Ok(Vec::new()));
    assert_eq!(disk.list("/boot/none"), Ok(Vec::new()));
    assert!(matches!(text(&disk, "/loop"), Err(Unread::Unreadable(_))));
    assert!(matches!(text(&disk, "/etc"), Err(Unread::Unreadable(_))));
}

#[test]
fn a_journal_that_was_not_written_out_is_seen_by_a_kernel_and_not_by_grub() {
    let disk = Disk::new();
    disk.journal("new\n");
    assert_eq!(
        text(&disk.raw(Journal::Replayed), "/etc/menu").unwrap(),
        "new\n"
    );
    assert_eq!(
        text(&disk.raw(Journal::Ignored), "/etc/menu").unwrap(),
        "old\n"
    );
}

#[test]
fn an_overlay_is_read_over_its_base() {
    let disk = Disk::new();
    let overlay = disk.directory.path().join("disk.qcow2");
    let [overlay_name, base] = [&overlay, &disk.base()].map(|path| path.display().to_string());
    tool(
        "qemu-img",
        &[
            "create",
            "-q",
            "-f",
            "qcow2",
            "-F",
            "raw",
            "-b",
            &base,
            &overlay_name,
        ],
        "",
    );
    let changed = disk.directory.path().join("fat");
    fs::write(&changed, fat("default two\n")).unwrap();
    let write = format!("write -q -s {} {BOOT_AT} 16M", changed.display());
    tool("qemu-io", &["-f", "qcow2", "-c", &write, &overlay_name], "");
    let read = disk.open(&overlay, Format::Qcow2, Journal::Ignored);
    assert_eq!(
        text(&read, "/boot/loader/loader.conf").unwrap(),
        "default two\n"
    );
    assert_eq!(text(&read, "/current/file").unwrap(), "whole");
    let base = disk.raw(Journal::Replayed);
    assert_eq!(
        text(&base, "/boot/loader/loader.conf").unwrap(),
        "default one\n"
    );
}

#[test]
fn damaged_disks_are_refused_in_words() {
    let disk = Disk::new();
    let file = File::options().write(true).open(disk.base()).unwrap();
    let opened = || {
        let image = File::open(disk.base()).unwrap();
        Offline::open(
            &image,
            Format::Raw,
            &disk.base(),
            &layout(),
            Journal::Ignored,
        )
        .err()
    };
    assert_eq!(opened(), None);
    file.write_all_at(&[0; 4096], BOOT_AT).unwrap();
    assert!(opened().unwrap().starts_with("partition 2: "));
    file.write_all_at(&[0; 4096], ROOT_AT).unwrap();
    assert!(opened().unwrap().starts_with("partition 1: "));
    file.write_all_at(&[0; 512], 0).unwrap();
    assert!(opened().is_some());
}
