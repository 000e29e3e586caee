use std::collections::BTreeSet;

use crate::closure::bootspec::{self, Bootspec};
use crate::closure::files::ClosureFiles;

/// Specialisations that are looked at; people have a handful.
const MAX_SPECIALISATIONS: usize = 256;

/// What `boot.json` says, as far as other files say it too, with the files that it names link-free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootspecFiles {
    pub toplevel: Option<String>,
    pub init: Option<String>,
    pub kernel: Option<String>,
    pub initrd: Option<String>,
    pub system: Option<String>,
    pub kernel_params: Vec<String>,
    pub label: Option<String>,
    /// The device tree that is copied beside the kernel.
    pub device_tree: Option<String>,
}

/// A variant of the system that has a boot entry of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specialisation {
    pub name: String,
    /// Which of `init`, `kernel` and `initrd` lead nowhere.
    pub missing: Vec<&'static str>,
    /// The files that its boot entry starts, link-free.
    pub kernel: Option<String>,
    pub initrd: Option<String>,
    /// Whether `boot.json` has it; `None` where there is no `boot.json`, or none that tells specialisations.
    pub in_bootspec: Option<bool>,
    /// Whether the toplevel's directory `specialisation` has it.
    pub in_toplevel: bool,
}

/// Reads version 1; `None` where there is none or it cannot be read, which the facts tell.
pub(super) fn read(files: &ClosureFiles) -> Option<BootspecFiles> {
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
        label: spec.label,
        device_tree: real(bootspec::parse_extensions(&text).device_tree),
    })
}

/// The specialisations that `boot.json` or the toplevel has, by name.
pub(super) fn specialisations(files: &ClosureFiles, with_initrd: bool) -> Vec<Specialisation> {
    let text = files.text(&files.in_toplevel("boot.json")).ok();
    let told = text
        .filter(|text| bootspec::parse_bootspec(text).is_ok())
        .and_then(|text| bootspec::parse_extensions(&text).specialisations);
    let dir = files.in_toplevel("specialisation");
    let mut names: BTreeSet<String> = files.list(&dir).unwrap_or_default().into_iter().collect();
    let listed = names.clone();
    names.extend(told.iter().flat_map(|told| told.keys().cloned()));
    names
        .into_iter()
        .take(MAX_SPECIALISATIONS)
        .map(|name| {
            let spec = told.as_ref().and_then(|told| told.get(&name));
            let place = format!("{dir}/{name}");
            Specialisation {
                in_bootspec: told.is_some().then_some(spec.is_some()),
                in_toplevel: listed.contains(&name),
                ..specialisation(files, name, &place, spec, with_initrd)
            }
        })
        .collect()
}

/// Where `boot.json` does not say what is started, the links of the specialisation's own toplevel do.
fn specialisation(
    files: &ClosureFiles,
    name: String,
    place: &str,
    spec: Option<&Bootspec>,
    with_initrd: bool,
) -> Specialisation {
    let file = |told: Option<&String>, below: &str| {
        let path = told.cloned().unwrap_or(format!("{place}/{below}"));
        files.resolve(&path).ok().map(|place| place.logical)
    };
    let init = file(spec.and_then(|spec| spec.init.as_ref()), "init");
    let kernel = file(spec.and_then(|spec| spec.kernel.as_ref()), "kernel");
    let initrd = file(spec.and_then(|spec| spec.initrd.as_ref()), "initrd");
    let missing = [
        ("init", init.is_none()),
        ("kernel", kernel.is_none()),
        ("initrd", initrd.is_none() && with_initrd),
    ];
    Specialisation {
        name,
        missing: missing
            .into_iter()
            .filter(|(_, missing)| *missing)
            .map(|(name, _)| name)
            .collect(),
        kernel,
        initrd,
        in_bootspec: None,
        in_toplevel: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    #[test]
    fn specialisations_of_both_places_are_joined() {
        let fake = FakeClosure::new();
        for file in ["init", "kernel", "initrd"] {
            fake.store_file("other-toplevel", file, "");
        }
        let other = fake.store_path("other-toplevel");
        fake.link("toplevel", "specialisation/a", other.as_str());
        let spec = format!(
            r#"{{"org.nixos.bootspec.v1": {{}}, "org.nixos.specialisation.v1":
                {{"a": {{"org.nixos.bootspec.v1": {{"init": "{other}/init", "kernel": "{other}/gone"}}}},
                  "b": {{"org.nixos.bootspec.v1": {{}}}}}}}}"#
        );
        fake.file("boot.json", spec);
        let closure = fake.closure();
        let found = specialisations(&ClosureFiles::new(&closure), true);
        let [a, b] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!((a.in_bootspec, a.in_toplevel), (Some(true), true));
        assert_eq!(a.missing, ["kernel"]);
        assert_eq!((b.in_bootspec, b.in_toplevel), (Some(true), false));
        assert_eq!(b.missing, ["init", "kernel", "initrd"]);
    }
}
