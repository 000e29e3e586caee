use super::boot_images::{self, BootImage};
use super::bootspec_files::{self, BootspecFiles, Specialisation};
use super::installation::{self, Installation};
use super::module_tree::{self, ModuleTree};
use super::pid_1;
use super::tracer::Tracer;
use crate::closure::execution::hop::Hop;
use crate::closure::files::{ClosureFiles, FileError};
use crate::closure::{bootspec, bzimage};

/// A kernel's configuration is about 300 kB.
const CONFIG_LIMIT: u64 = 4 << 20;

/// The files that a boot goes through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootFiles {
    /// What executes `toplevel/init`.
    pub init: Vec<Hop>,
    /// What stage 2 becomes; empty where it does not tell.
    pub pid_1: Vec<Hop>,
    /// `toplevel/kernel` and `toplevel/initrd`, link-free; `None` where they lead to no regular file.
    pub kernel: Option<String>,
    pub initrd: Option<String>,
    /// Where the kernel's file is shorter than its own header says.
    pub kernel_cut: Option<CutShort>,
    /// Which of the two the toplevel has no entry for at all.
    pub absent: Vec<&'static str>,
    /// The names in `kernel-modules/lib/modules`; `None` where there is no such directory.
    pub module_versions: Option<Vec<String>>,
    /// The modules that the kernel finds; `None` where their lists cannot be read.
    pub modules: Option<ModuleTree>,
    /// `boot.json`; `None` where there is none or it cannot be read.
    pub bootspec: Option<BootspecFiles>,
    pub specialisations: Vec<Specialisation>,
    /// What the bootloader's installer copies where it copies kernels.
    pub images: Vec<BootImage>,
    pub installation: Installation,
    /// `toplevel/kernel-params` as it stands, `init=` included.
    pub kernel_params: Vec<String>,
    /// Whether the kernel runs 32-bit programs, by its configuration; `None` where the closure has none.
    pub ia32_emulation: Option<bool>,
    /// Programs of other machines that binfmt_misc hands to an emulator: the text of `etc/binfmt.d`.
    pub binfmt: String,
}

/// A file that ends before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutShort {
    /// The bytes that it has.
    pub length: u64,
    /// The bytes that it must have at least.
    pub declared: u64,
}

pub(super) fn read(files: ClosureFiles, tracer: &mut Tracer) -> BootFiles {
    let kernel = regular_file(&files, "kernel");
    let initrd = regular_file(&files, "initrd");
    let absent: Vec<&'static str> = ["kernel", "initrd"]
        .into_iter()
        .filter(|name| !files.has_entry(name))
        .collect();
    let modules = files.in_toplevel("kernel-modules/lib/modules");
    let module_versions = match files.list(&modules) {
        Ok(names) => Some(names),
        Err(FileError::Missing(_)) => None,
        Err(_) => Some(Vec::new()),
    };
    let ia32_emulation = configuration(&files, kernel.as_deref(), module_versions.as_deref());
    let bootspec = bootspec_files::read(&files);
    let specialisations = bootspec_files::specialisations(&files, !absent.contains(&"initrd"));
    BootFiles {
        init: tracer.trace(&files.in_toplevel("init"), false).hops,
        pid_1: pid_1::read(files, tracer),
        modules: module_tree::read(&files, kernel_version(&files).as_deref()),
        images: boot_images::read(
            &files,
            [&kernel, &initrd],
            bootspec.as_ref(),
            &specialisations,
        ),
        installation: installation::read(&files),
        kernel_params: files
            .text(&files.in_toplevel("kernel-params"))
            .map(|text| bootspec::split_kernel_params(&text))
            .unwrap_or_default(),
        binfmt: binfmt(&files),
        kernel_cut: kernel_cut(&files),
        kernel,
        initrd,
        absent,
        module_versions,
        bootspec,
        specialisations,
        ia32_emulation,
    }
}

fn regular_file(files: &ClosureFiles, name: &str) -> Option<String> {
    let path = files.in_toplevel(name);
    files.open(&path).ok()?;
    Some(files.resolve(&path).ok()?.logical)
}

fn kernel_version(files: &ClosureFiles) -> Option<String> {
    let header = files.header(&files.in_toplevel("kernel"), bzimage::HEADER_LENGTH);
    bzimage::parse(&header.ok()?).ok()?.version
}

/// An empty file is what a power cut leaves of one that was just written, and no kernel at all.
fn kernel_cut(files: &ClosureFiles) -> Option<CutShort> {
    let path = files.in_toplevel("kernel");
    let length = files.open(&path).ok()?.metadata().ok()?.len();
    let header = files.header(&path, bzimage::HEADER_LENGTH).ok()?;
    let declared = match length {
        0 => 1,
        _ => bzimage::declared_length(&header)?,
    };
    (length < declared).then_some(CutShort { length, declared })
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
