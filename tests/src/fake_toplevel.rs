//! A toplevel in a chroot store that looks like NixOS's and holds nothing that runs: GRUB on `/dev/vda`, a virtio disk,
//! a serial console, and nginx with one virtual host.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::fake_formats;

/// A toplevel below the root of a chroot store.
#[derive(Debug, Clone)]
pub struct FakeToplevel {
    root: PathBuf,
    /// `/nix/store/…-nixos-system-fake`, as the guest sees it.
    pub path: String,
}

const MODULES: &str = "lib/modules/6.6.63";

const NGINX_CONF: &str = "\
http {
  server {
    listen 0.0.0.0:80;
    server_name alpha.example;
    location / { proxy_pass http://127.0.0.1:8081; }
  }
}
";

/// As `builtins.toXML` writes the input of `install-grub.pl`.
const GRUB_CONFIG: &str = "\
<?xml version='1.0' encoding='utf-8'?>
<expr><attrs>
  <attr name=\"devices\"><list><string value=\"/dev/vda\" /></list></attr>
  <attr name=\"grubEfi\"><string value=\"\" /></attr>
</attrs></expr>
";

impl FakeToplevel {
    /// Makes the toplevel called `name`, and every store path that it refers to, below `root`. Toplevels of one root share
    /// all but themselves.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn make(root: &Path, name: &str) -> io::Result<Self> {
        let store = Store {
            directory: root.join("nix/store"),
        };
        let nginx = store.program("nginx", "bin/nginx", fake_formats::elf())?;
        let conf = store.file("nginx.conf", "", NGINX_CONF)?;
        store.program("systemd", "lib/systemd/systemd", fake_formats::elf())?;
        store.file("linux", "bzImage", fake_formats::bzimage())?;
        let modules = ["virtio_blk.ko.xz", "virtio_pci.ko.xz", "ext4.ko.xz"];
        store.file("initrd", "initrd", fake_formats::initrd(&modules)?)?;
        let builtin = format!("{MODULES}/modules.builtin");
        store.file("modules", &builtin, "kernel/sd_mod.ko\n")?;
        let loadable = format!("{MODULES}/modules.dep");
        store.file("modules", &loadable, "virtio_net.ko.xz:\n")?;

        let fstab = "/dev/disk/by-label/nixos / ext4 defaults 0 1\n";
        store.file("etc", "etc/fstab", fstab)?;
        store.file("etc", "etc/alpha.conf", "port = 8081\n")?;
        let unit = format!("[Service]\nExecStart={nginx} -c '{conf}'\n");
        store.file("etc", "etc/systemd/system/nginx.service", unit)?;
        store.file("etc", "etc/systemd/system/default.target", "[Unit]\n")?;

        let config = store.file("grub-config.xml", "", GRUB_CONFIG)?;
        let script = format!("#!/bin/sh\nset -e\ninstall-grub.pl {config} $@\n");
        let installer = store.file("install-grub.sh", "", script)?;
        let switch = format!("#!/bin/sh\nexport INSTALL_BOOTLOADER='{installer}'\n");
        store.program(name, "bin/switch-to-configuration", switch)?;
        store.program(name, "init", "#!/bin/sh\n")?;

        for (file, content) in [
            ("kernel-params", "loglevel=4 console=ttyS0,115200"),
            ("nixos-version", "24.11.fake"),
            ("system", "x86_64-linux"),
        ] {
            store.file(name, file, content)?;
        }
        for (link, target) in [
            ("kernel", store.path("linux", "bzImage")),
            ("initrd", store.path("initrd", "initrd")),
            ("kernel-modules", store.path("modules", "")),
            ("etc", store.path("etc", "etc")),
            ("systemd", store.path("systemd", "")),
        ] {
            symlink(target, store.host(name).join(link))?;
        }
        Ok(Self {
            root: root.to_owned(),
            path: store.path(name, ""),
        })
    }

    /// Gives it a specialisation of this name: a toplevel beside it, and the link to that.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn specialise(&self, name: &str) -> io::Result<Self> {
        let variant = Self::make(&self.root, &format!("nixos-system-{name}"))?;
        let links = self.host_path().join("specialisation");
        fs::create_dir_all(&links)?;
        symlink(&variant.path, links.join(name))?;
        Ok(variant)
    }

    /// Makes a closure directory of the root: `store-paths` and `registration`, where every path has the same hash of 64 times
    /// `digit`.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn write_registration(&self, digit: char) -> io::Result<()> {
        let store = self.root.join("nix/store");
        let mut others: Vec<String> = fs::read_dir(store)?
            .map(|entry| {
                Ok(format!(
                    "/nix/store/{}",
                    entry?.file_name().to_string_lossy()
                ))
            })
            .collect::<io::Result<_>>()?;
        others.retain(|path| *path != self.path);
        others.sort();
        let hash: String = std::iter::repeat_n(digit, 64).collect();
        let record = |path: &str, references: &[String]| {
            let count = references.len();
            let references: String = references.iter().map(|path| format!("{path}\n")).collect();
            format!("{path}\nsha256:{hash}\n100\n\n{count}\n{references}")
        };
        let records: String = others.iter().map(|path| record(path, &[])).collect();
        let paths: String = others.iter().map(|path| format!("{path}\n")).collect();
        fs::write(
            self.root.join("store-paths"),
            format!("{paths}{}\n", self.path),
        )?;
        let records = records + &record(&self.path, &others);
        fs::write(self.root.join("registration"), records)
    }

    /// The root of the chroot store, for `--store`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A line of a shell script that stands for the `nix build --json` which built it.
    pub fn built_by_nix(&self) -> String {
        format!("echo '[{{\"outputs\":{{\"out\":\"{}\"}}}}]'", self.path)
    }

    /// Where the toplevel is on this host.
    pub fn host_path(&self) -> PathBuf {
        self.root.join(self.path.trim_start_matches('/'))
    }
}

/// A store whose hashes are made of the names.
struct Store {
    directory: PathBuf,
}

impl Store {
    /// Writes a file of the store path called `name`, which is the store path itself where `below` is empty, and gives its
    /// path in the guest.
    fn file(&self, name: &str, below: &str, content: impl AsRef<[u8]>) -> io::Result<String> {
        let place = match below {
            "" => self.host(name),
            below => self.host(name).join(below),
        };
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(place, content)?;
        Ok(self.path(name, below))
    }

    /// The same for what can be executed.
    fn program(&self, name: &str, below: &str, content: impl AsRef<[u8]>) -> io::Result<String> {
        let path = self.file(name, below, content)?;
        fs::set_permissions(self.host(name).join(below), Permissions::from_mode(0o755))?;
        Ok(path)
    }

    fn host(&self, name: &str) -> PathBuf {
        self.directory.join(base_name(name))
    }

    fn path(&self, name: &str, below: &str) -> String {
        let path = format!("/nix/store/{}/{below}", base_name(name));
        path.trim_end_matches('/').to_owned()
    }
}

/// `<hash>-<name>`: Nix's base 32 has all digits, so that a number will do for a hash.
fn base_name(name: &str) -> String {
    let number = name
        .bytes()
        .fold(0_u64, |n, b| n.wrapping_mul(31).wrapping_add(b.into()));
    format!("{number:032}-{name}")
}
