use super::files::{ClosureFiles, FileError};
use super::mentions;
use super::unit_file::{UnitFile, command_words};
use super::units;
use crate::nginx::{self, Included};
use crate::vocabulary::{HttpEndpoint, StorePath};

pub(super) const UNIT: &str = "nginx.service";
/// Where `services.nginx.enableReload` puts the configuration.
const DEFAULT: &str = "/etc/nginx/nginx.conf";
/// Files that one pattern names, and their bytes together: all are held at once.
const MAX_INCLUDED: usize = 4_000;
const MAX_INCLUDED_BYTES: usize = 32 << 20;
/// A start script is small; a store path with a whole program is not searched for names.
const SCRIPT_LIMIT: u64 = 1 << 20;

/// What the closure's nginx can be asked for, and what of its configuration could not be read.
#[derive(Debug, Default)]
pub(super) struct Nginx {
    pub(super) endpoints: Vec<HttpEndpoint>,
    pub(super) unreadable: Vec<(String, String)>,
}

/// Reads the configuration that the closure's `nginx.service` names; a closure without that service has nothing to be asked.
pub(super) fn read(files: &ClosureFiles) -> Nginx {
    let path = match units::load(files, UNIT) {
        Err(FileError::Missing(_)) | Ok(None) => return Nginx::default(),
        Err(error) => return unreadable("nginx", &error.to_string()),
        Ok(Some(unit)) => config_path(files, &unit),
    };
    let Some(path) = path else {
        let reason = format!("`{UNIT}` does not say where its configuration is");
        return unreadable("nginx", &reason);
    };
    let text = match files.text(&path) {
        Ok(text) => text,
        Err(error) => return unreadable("nginx", &error.to_string()),
    };
    let (dir, _) = path.rsplit_once('/').unwrap_or_default();
    let parsed = nginx::parse(&path, &text, &mut |pattern| include(files, dir, pattern));
    let found = nginx::endpoints(&parsed.directives);
    let problems = parsed.problems.into_iter();
    let mut unreadable: Vec<_> = problems
        .map(|(file, reason)| (without_hash(&file), reason))
        .collect();
    unreadable.extend(found.problems);
    Nginx {
        endpoints: found.endpoints,
        unreadable,
    }
}

/// What a gap is about keeps its name when the file is built again: `nginx.conf`, `package/conf/mime.types`.
pub(super) fn without_hash(file: &str) -> String {
    match StorePath::split(file) {
        Ok((path, "")) => path.name().to_owned(),
        Ok((path, below)) => format!("{}/{below}", path.name()),
        Err(_) => file.to_owned(),
    }
}

fn unreadable(subject: &str, reason: &str) -> Nginx {
    Nginx {
        endpoints: Vec::new(),
        unreadable: vec![(subject.to_owned(), reason.to_owned())],
    }
}

/// The argument of `-c` in one of the unit's commands; else a path that ends in `nginx.conf` in a script that the unit runs; else the
/// place below `/etc`.
pub(super) fn config_path(files: &ClosureFiles, unit: &UnitFile) -> Option<String> {
    let keys = ["ExecStart", "ExecStartPre", "ExecReload"];
    let commands: Vec<Vec<String>> = keys
        .iter()
        .flat_map(|key| unit.list("Service", key))
        .map(command_words)
        .collect();
    let named = commands.iter().find_map(|words| {
        let option = words.iter().position(|word| word == "-c")?;
        words
            .get(option + 1)
            .filter(|path| path.starts_with('/'))
            .cloned()
    });
    let mentioned = || {
        commands.iter().find_map(|words| {
            let script = files.header(words.first()?, SCRIPT_LIMIT).ok()?;
            mentions::in_bytes(&script)
                .map(|mention| mention.path)
                .find(|path| path.ends_with("nginx.conf"))
        })
    };
    named
        .or_else(mentioned)
        .or_else(|| files.is_there(DEFAULT).then(|| DEFAULT.to_owned()))
}

/// The files that an `include` names: a path relative to the directory of the configuration, `*` and `?` in its last component.
pub(super) fn include(
    files: &ClosureFiles,
    dir: &str,
    pattern: &str,
) -> Result<Vec<Included>, String> {
    let path = if pattern.starts_with('/') {
        pattern.to_owned()
    } else {
        format!("{dir}/{pattern}")
    };
    let read = |path: String| match files.text(&path) {
        Ok(text) => Ok(Included { path, text }),
        Err(error) => Err(error.to_string()),
    };
    if !path.contains(['*', '?', '[']) {
        return read(path).map(|included| vec![included]);
    }
    let (dir, file_pattern) = path.rsplit_once('/').unwrap_or_default();
    if dir.contains(['*', '?', '[']) || file_pattern.contains('[') {
        return Err("patterns are read in the last component only, and without `[`".to_owned());
    }
    // As with nginx, a pattern that matches nothing is no fault.
    let names = match files.list(dir) {
        Err(FileError::Missing(_)) => Vec::new(),
        result => result.map_err(|error| error.to_string())?,
    };
    let mut included = Vec::new();
    let mut bytes = 0;
    for name in &names {
        if matches(file_pattern.as_bytes(), name.as_bytes()) {
            let file = read(format!("{dir}/{name}"))?;
            bytes += file.text.len();
            included.push(file);
        }
        if included.len() > MAX_INCLUDED || bytes > MAX_INCLUDED_BYTES {
            return Err("it names more than is read".to_owned());
        }
    }
    Ok(included)
}

/// glob(7) with `*` and `?`; a leading dot is matched by a dot only.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.starts_with(b".") && !pattern.starts_with(b".") {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((star_p, star_n)) = star else {
                    return false;
                };
                star = Some((star_p, star_n + 1));
                p = star_p + 1;
                n = star_n + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::FakeClosure;

    const SERVER: &str = "server { listen 80; server_name a.example; location / { proxy_pass http://127.0.0.1:1; } }";

    fn nginx(fake: &FakeClosure, exec_start: &str) -> Nginx {
        fake.file(
            "etc/systemd/system/nginx.service",
            format!("[Service]\nExecStart={exec_start}\n"),
        );
        let closure = fake.closure();
        read(&ClosureFiles::new(&closure))
    }

    #[test]
    fn the_unit_names_the_configuration() {
        let fake = FakeClosure::new();
        let config = fake.store_file("nginx.conf", "", format!("http {{ {SERVER} }}"));
        let found = nginx(&fake, &format!("/nix/store/x/bin/nginx -c '{config}' -g x"));
        assert_eq!(found.endpoints.len(), 1);
        assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    }

    #[test]
    fn a_start_script_may_name_the_configuration() {
        let fake = FakeClosure::new();
        let config = fake.store_file("nginx.conf", "", format!("http {{ {SERVER} }}"));
        let script = fake.store_file("start", "", format!("#!/x\nexec nginx -c {config}\n"));
        assert_eq!(nginx(&fake, &script).endpoints.len(), 1);
    }

    #[test]
    fn the_configuration_may_be_below_etc_and_include_patterns() {
        let fake = FakeClosure::new();
        fake.file(
            "etc/nginx/nginx.conf",
            "http { include sites/*.conf; include none/*; }",
        );
        fake.file("etc/nginx/sites/a.conf", SERVER);
        fake.file("etc/nginx/sites/.b.conf", SERVER);
        fake.file("etc/nginx/sites/c.off", SERVER);
        let found = nginx(&fake, "/nix/store/x/bin/nginx -c /etc/nginx/nginx.conf");
        assert_eq!(found.endpoints.len(), 1);
        assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    }

    #[test]
    fn a_pattern_that_names_one_large_file_often_is_unreadable() {
        let fake = FakeClosure::new();
        fake.file("etc/nginx/nginx.conf", "include sites/*;");
        fake.file("etc/nginx/large", "#".repeat(4 << 20));
        for n in 0..9 {
            fake.link("toplevel", &format!("etc/nginx/sites/{n}"), "../large");
        }
        let found = nginx(&fake, "nginx");
        let reason = &found.unreadable[0].1;
        assert!(reason.contains("more than is read"), "{reason}");
    }

    #[test]
    fn a_missing_include_is_unreadable_and_the_rest_is_read() {
        let fake = FakeClosure::new();
        let text = format!("http {{ include /etc/nginx/gone.conf; {SERVER} }}");
        fake.file("etc/nginx/nginx.conf", text);
        let found = nginx(&fake, "/nix/store/x/bin/nginx");
        assert_eq!(found.endpoints.len(), 1);
        assert_eq!(found.unreadable.len(), 1);
    }

    #[test]
    fn what_could_not_be_read_is_named_without_its_hash() {
        let fake = FakeClosure::new();
        let text = "http { include /etc/nginx/gone.conf; }";
        let config = fake.store_file("nginx.conf", "", text);
        let found = nginx(&fake, &format!("/nix/store/x/bin/nginx -c {config}"));
        assert_eq!(found.unreadable[0].0, "nginx.conf");
    }

    #[test]
    fn a_closure_without_nginx_has_nothing_to_be_asked() {
        let closure = FakeClosure::new().closure();
        let found = read(&ClosureFiles::new(&closure));
        assert!(found.endpoints.is_empty() && found.unreadable.is_empty());
    }

    #[test]
    fn patterns_match_as_a_shells_do() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a?c*", "abcd", true),
            ("*a*b", "xaxxb", true),
            ("*", ".hidden", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected);
        }
    }
}
