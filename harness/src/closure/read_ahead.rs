//! Reading all of a closure with no processor idle: the initrd, which takes one of them as long as all else does, comes first.

use std::thread::{self, JoinHandle};

use super::initrd::{Initrd, KnownInitrd};
use super::path_walk::KnownDirectories;
use super::{
    Closure, ClosureError, ReferencesBy, Source, Survey, locate, read_facts, resolve, survey,
};
use crate::vocabulary::{ClosureFacts, StorePath};

/// As [`resolve`], for a closure that is read next: its initrd is decompressed while Nix is asked for the paths.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_ahead(source: &Source, toplevel: &str) -> Result<Closure, ClosureError> {
    let ahead = Ahead::begin(source, toplevel);
    let mut closure = resolve(source, toplevel)?;
    closure.initrd = ahead.map(KnownInitrd::begun).unwrap_or_default();
    Ok(closure)
}

/// [`survey`] and [`read_facts`] together. The facts wait for the initrd, and so come last.
///
/// # Errors
/// As [`read_facts`].
pub fn examine(closure: &Closure) -> Result<(ClosureFacts, Survey), ClosureError> {
    let survey = survey(closure);
    Ok((read_facts(closure)?, survey))
}

/// The initrd of a toplevel, being read before its closure is known.
pub(super) struct Ahead(JoinHandle<Option<(StorePath, Initrd)>>);

impl Ahead {
    /// `None` where the machine gives no further thread.
    fn begin(source: &Source, toplevel: &str) -> Option<Self> {
        let (source, toplevel) = (source.clone(), toplevel.to_owned());
        let read = move || read_initrd(&source, &toplevel);
        thread::Builder::new().spawn(read).ok().map(Self)
    }

    /// What was read, if it is part of the closure.
    pub(super) fn finish(self, closure: &Closure) -> Option<Initrd> {
        let (holder, initrd) = self.0.join().ok().flatten()?;
        closure.contains(&holder).then_some(initrd)
    }
}

/// The initrd of the toplevel that a user named, and the only store path beside the toplevel's that was looked at. `None` where there is
/// none, or it is a file of another one yet: then it is read, and complained about, when the closure is known.
fn read_initrd(source: &Source, toplevel: &str) -> Option<(StorePath, Initrd)> {
    let (source, toplevel) = match source {
        Source::Store { root } => {
            let root = root.canonicalize().ok()?;
            let toplevel = locate::in_store(&root, toplevel).ok()?;
            (Source::Store { root }, toplevel)
        }
        Source::Directory { .. } => (source.clone(), locate::in_directory(toplevel).ok()?),
    };
    let target = source
        .host_path(&toplevel)
        .join("initrd")
        .read_link()
        .ok()?;
    let (holder, _) = StorePath::split(target.to_str()?).ok()?;
    let mut paths = vec![toplevel.clone(), holder.clone()];
    paths.sort();
    let closure = Closure {
        source,
        toplevel,
        paths,
        registration: None,
        references: ReferencesBy::Scan,
        known: KnownDirectories::default(),
        initrd: KnownInitrd::default(),
    };
    closure.initrd();
    Some((holder, closure.initrd.into_read()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, cpio_archive};

    fn with_initrd() -> (FakeClosure, Closure) {
        let fake = FakeClosure::new();
        let path = fake.store_file("initrd", "initrd", cpio_archive(&["lib/modules/nvme.ko"]));
        fake.remove("initrd");
        fake.link("toplevel", "initrd", &path);
        let closure = fake.closure();
        (fake, closure)
    }

    fn read_of(closure: &Closure) -> Option<(StorePath, Initrd)> {
        read_initrd(&closure.source, closure.toplevel.as_str())
    }

    #[test]
    fn what_was_read_ahead_is_not_read_again() {
        let (fake, mut closure) = with_initrd();
        let read = read_of(&closure).unwrap();
        std::fs::remove_file(fake.host("initrd").join("initrd")).unwrap();
        closure.initrd = KnownInitrd::begun(Ahead(thread::spawn(|| Some(read))));
        let initrd = closure.initrd().as_ref().unwrap();
        assert!(initrd.modules.names.contains("nvme"));
    }

    #[test]
    fn a_file_that_turns_out_to_be_no_part_of_the_closure_counts_for_nothing() {
        let (_fake, mut closure) = with_initrd();
        let read = read_of(&closure).unwrap();
        closure.paths.retain(|path| path.name() == "toplevel");
        closure.initrd = KnownInitrd::begun(Ahead(thread::spawn(|| Some(read))));
        assert!(closure.initrd().is_err());
    }

    #[test]
    fn a_toplevel_without_an_initrd_is_left_for_later() {
        let fake = FakeClosure::new();
        assert!(read_of(&fake.closure()).is_none());
        fake.remove("initrd");
        fake.link("toplevel", "initrd", "/etc/shadow");
        assert!(read_of(&fake.closure()).is_none());
    }
}
