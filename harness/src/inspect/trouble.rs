//! Why a file that is executed will not run, under which kernel, and in which words.

use super::faults;
use super::kernel::{called, runs, with_article};
use super::rules::Subject;
use crate::closure::{Fault, Hop};
use crate::vocabulary::ElfClass;

/// One way in which something cannot be executed.
pub(super) struct Trouble<'a> {
    pub(super) hop: &'a Hop,
    pub(super) reason: Reason,
}

pub(super) enum Reason {
    /// The file is whole, and of a class that the kernel does not execute.
    Foreign(ElfClass),
    Fault(Fault),
}

/// All of them on the way to a program.
pub(super) fn troubles<'a>(
    subject: &Subject,
    hops: &'a [Hop],
) -> impl Iterator<Item = Trouble<'a>> {
    hops.iter().filter_map(move |hop| {
        let foreign = hop.class.filter(|class| !runs(subject, *class));
        let reason = match (foreign, &hop.fault) {
            (Some(class), _) => Reason::Foreign(class),
            (None, Some(fault)) => Reason::Fault(fault.clone()),
            (None, None) => return None,
        };
        Some(Trouble { hop, reason })
    })
}

impl Trouble<'_> {
    /// What follows upon the name of the file: `is an i386 executable under …`.
    pub(super) fn what(&self, subject: &Subject) -> String {
        match &self.reason {
            Reason::Foreign(_) => format!("is {}", self.short(subject)),
            Reason::Fault(fault) => faults::words(fault, &self.hop.path),
        }
    }

    pub(super) fn short(&self, subject: &Subject) -> String {
        match &self.reason {
            Reason::Foreign(class) => format!(
                "{} executable under {}",
                with_article(class.as_str()),
                called(subject)
            ),
            Reason::Fault(Fault::NoLoader(loader)) => format!("needs {loader}"),
            Reason::Fault(Fault::Missing) => "not in the closure".to_owned(),
            Reason::Fault(_) => self.what(subject),
        }
    }

    /// The file, and what is wrong with it.
    pub(super) fn evidence(&self, subject: &Subject) -> String {
        format!("{}: {}", self.hop.path, self.short(subject))
    }
}
