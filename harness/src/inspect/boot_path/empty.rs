//! Kernel and initrd have content: a power cut or a full disk leaves files of no length.

use super::error;
use crate::inspect::rules::{Outcome, Subject};

const NEXT: &str =
    "`nix-store --verify --check-contents --repair` fetches or builds the store path again";

pub(super) fn rule(subject: &Subject, outcome: &mut Outcome) {
    let boot = &subject.survey.boot;
    for (name, path) in [("kernel", &boot.kernel), ("initrd", &boot.initrd)] {
        let is_it = |image: &&crate::closure::BootImage| Some(&image.path) == path.as_ref();
        if boot.images.iter().find(is_it).is_some_and(|i| i.size == 0) {
            error(outcome, name, format!("`{name}` is an empty file"), NEXT);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::testing::{ids, inspected, server};

    #[test]
    fn a_kernel_or_initrd_without_content_is_found() {
        let fake = server();
        fake.file("kernel", "");
        assert_eq!(ids(&inspected(&fake)), ["inspected/boot-path/kernel"]);
        let fake = server();
        fake.file("initrd", "");
        let found = ids(&inspected(&fake));
        assert_eq!(found[0], "inspected/boot-path/initrd", "{found:?}");
    }

    #[test]
    fn files_with_content_are_silent() {
        assert_eq!(ids(&inspected(&server())), [""; 0]);
    }
}
