use super::execution::{Hop, Tracer};
use crate::closure::bootspec;
use crate::closure::files::{ClosureFiles, FileError};

/// A kernel's configuration is about 300 kB.
const CONFIG_LIMIT: u64 = 4 << 20;

/// The files that a boot goes through, link-free where they can be followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootFiles {
    /// What executes `toplevel/init`.
    pub init: Vec<Hop>,
    /// `toplevel/kernel` and `toplevel/initrd`, or why they cannot be followed.
    pub kernel: Option<String>,
    pub initrd: Option<String>,
    /// The names in `kernel-modules/lib/modules`; `None` where there is no such directory.
    pub module_versions: Option<Vec<String>>,
    /// `boot.json`, with the files that it names link-free; `None` where there is none or it cannot be read.
    pub bootspec: Option<BootspecFiles>,
    /// `toplevel/kernel-params` as it stands, `init=` included.
    pub kernel_params: Vec<String>,
    /// Whether the kernel runs 32-bit programs, by its configuration; `None` where the closure has none.
    pub ia32_emulation: Option<bool>,
    /// Programs of other machines that binfmt_misc hands to an emulator: the text of `etc/binfmt.d`.
    pub binfmt: String,
}

/// What `boot.json` says, as far as other files say it too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootspecFiles {
    pub toplevel: Option<String>,
    pub init: Option<String>,
    pub kernel: Option<String>,
    pub initrd: Option<String>,
    pub system: Option<String>,
    pub kernel_params: Vec<String>,
}

pub(super) fn read(files: ClosureFiles) -> BootFiles {
    let real = |path: &str| files.resolve(path).ok().map(|resolved| resolved.logical);
    let in_toplevel = |name: &str| real(&files.in_toplevel(name));
    let kernel = in_toplevel("kernel");
    let modules = files.in_toplevel("kernel-modules/lib/modules");
    let module_versions = match files.list(&modules) {
        Ok(names) => Some(names),
        Err(FileError::Missing(_)) => None,
        Err(_) => Some(Vec::new()),
    };
    let ia32_emulation = configuration(&files, kernel.as_deref(), module_versions.as_deref());
    BootFiles {
        init: Tracer::new(files)
            .trace(&files.in_toplevel("init"), false)
            .hops,
        initrd: in_toplevel("initrd"),
        bootspec: read_bootspec(&files),
        kernel_params: files
            .text(&files.in_toplevel("kernel-params"))
            .map(|text| bootspec::split_kernel_params(&text))
            .unwrap_or_default(),
        binfmt: binfmt(&files),
        kernel,
        module_versions,
        ia32_emulation,
    }
}

fn read_bootspec(files: &ClosureFiles) -> Option<BootspecFiles> {
    let text = files.text(&files.in_toplevel("boot.json")).ok()?;
    let spec = bootspec::parse_bootspec(&text).ok()?;
    // A path that leads nowhere is kept, so that it is seen to differ.
    let real = |path: Option<String>| {
        path.map(|path| files.resolve(&path).map_or(path.clone(), |r| r.logical))
    };
    // In a toplevel whose `init` is a link, it is still what boot.json names.
    let own_init = files.in_toplevel("init");
    let is_own = |path: &String| {
        let resolved = |path: &str| files.resolve(path).ok();
        *path == own_init || (resolved(path).is_some() && resolved(path) == resolved(&own_init))
    };
    let init = spec.init.map(|path| {
        if is_own(&path) {
            own_init.clone()
        } else {
            path
        }
    });
    Some(BootspecFiles {
        toplevel: spec.toplevel,
        init,
        kernel: real(spec.kernel),
        initrd: real(spec.initrd),
        system: spec.system,
        // An element may hold several parameters.
        kernel_params: bootspec::parse_kernel_params(&spec.kernel_params.join(" ")),
    })
}

/// Looks for the kernel's configuration where distributions put it: beside the image and beside the modules.
fn configuration(
    files: &ClosureFiles,
    kernel: Option<&str>,
    versions: Option<&[String]>,
) -> Option<bool> {
    let beside = kernel
        .and_then(|kernel| kernel.rsplit_once('/'))
        .map(|(dir, _)| dir.to_owned());
    let mut candidates = Vec::new();
    for version in versions.unwrap_or_default().iter().take(1) {
        let modules = files.in_toplevel("kernel-modules/lib/modules");
        candidates.push(format!("{modules}/{version}/config"));
        candidates.extend(beside.iter().map(|dir| format!("{dir}/config-{version}")));
    }
    candidates.extend(beside.iter().map(|dir| format!("{dir}/config")));
    let config = candidates
        .iter()
        .find_map(|path| files.read(path, CONFIG_LIMIT).ok())?;
    let config = String::from_utf8_lossy(&config);
    Some(config.lines().any(|line| line == "CONFIG_IA32_EMULATION=y"))
}

fn binfmt(files: &ClosureFiles) -> String {
    const DIR: &str = "/etc/binfmt.d";
    let names = files.list(DIR).unwrap_or_default();
    names
        .iter()
        .filter_map(|name| files.text(&format!("{DIR}/{name}")).ok())
        .collect()
}
