//! `report.html` in a browser: it opens, leads where it says, shows the cause at once, and runs nothing of a guest's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bootproof_tests::browser::{Browser, Window};
use bootproof_tests::fake_qemu::Act;
use bootproof_tests::{Sandbox, guests};
use serde_json::json;

const DESKTOP: Window = Window {
    width: 1280,
    height: 800,
    is_phone: false,
    is_dark: false,
};

const PHONE: Window = Window {
    width: 390,
    height: 844,
    is_phone: true,
    is_dark: true,
};

/// The page of a recording, as `bootproof report` makes it.
fn page_of(sandbox: &Sandbox, recording: &Path, exit_code: i32) -> PathBuf {
    let args = ["report".as_ref(), recording.as_os_str()];
    let run = sandbox
        .bootproof(args)
        .args(["--format", "html"])
        .assert()
        .code(exit_code)
        .stderr("");
    let place = sandbox.place("page.html");
    fs::write(&place, &run.get_output().stdout).unwrap();
    place
}

/// HTML Tidy, which was not written here, has nothing to say.
fn assert_well_formed(page: &Path) {
    let tidy = Command::new("tidy")
        .args(["-quiet", "-errors"])
        .arg(page)
        .output()
        .unwrap_or_else(|error| panic!("tidy: {error} (`cargo xtask test` installs it)"));
    assert_eq!(String::from_utf8_lossy(&tidy.stderr), "");
}

/// What must hold of every page, in every window.
fn assert_sound(browser: &mut Browser) {
    let dead = "[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))
        .filter(href => !href.startsWith('#') || !document.getElementById(href.slice(1)))";
    assert_eq!(browser.evaluate(dead), json!([]), "links that lead nowhere");
    let ids = "(ids => ids.filter((id, at) => ids.indexOf(id) !== at))([...document.querySelectorAll('[id]')].map(e => e.id))";
    assert_eq!(browser.evaluate(ids), json!([]), "ids that stand twice");
    let headings =
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => +h.localName[1])
        .reduce((bad, level, at, all) => bad || level > (all[at - 1] ?? 0) + 1, false)";
    assert_eq!(
        browser.evaluate(headings),
        json!(false),
        "headings leave a level out"
    );
    let too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(
        browser.evaluate(too_wide),
        json!(false),
        "the page scrolls sideways"
    );
    assert_eq!(browser.complaints(), [""; 0]);
    assert_eq!(browser.requests(), [""; 0]);
}

/// Whether all of an element is seen without scrolling.
fn is_in_view(browser: &mut Browser, id: &str) -> bool {
    let expression = format!(
        "(box => box.height > 0 && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth)(
            document.getElementById('{id}').getBoundingClientRect())"
    );
    browser.evaluate(&expression) == json!(true)
}

#[test]
fn the_outage_shows_its_cause_without_scrolling_and_every_evidence_in_its_place() {
    let sandbox = Sandbox::new();
    // A run of the lab's scenario, with less of its journals and units.
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/outage-2023-08-08");
    let page = page_of(&sandbox, &recording, 1);
    assert_well_formed(&page);
    let mut browser = Browser::start();
    for window in [DESKTOP, PHONE] {
        browser.open(&page, window);
        assert_sound(&mut browser);
        for id in ["verdict", "headline", "next"] {
            assert!(is_in_view(&mut browser, id), "{id} in {window:?}");
        }
        let headline = browser.evaluate("document.getElementById('headline').textContent");
        let cause = "an i686-linux kernel runs x86_64 executables: alpha.service, beta.service, gamma.service";
        assert!(headline.as_str().unwrap().starts_with(cause), "{headline}");
    }
    // From the finding to the line in the journal, and back.
    let there = "(async () => {
        const quote = document.querySelector('.cause a.to');
        quote.click();
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        const line = document.querySelector(':target');
        const box = line.getBoundingClientRect();
        const back = line.parentElement.querySelector('.back').getAttribute('href').slice(1);
        return [line.localName, line.textContent.includes('Exec format error'), box.top >= 0 && box.bottom <= innerHeight,
            document.getElementById(back).contains(quote)];
    })()";
    assert_eq!(browser.evaluate(there), json!(["mark", true, true, true]));
}

/// What would run, or be asked for, if it were markup.
const HOSTILE: &str = "</pre></li></script><script>window.owned=1</script><img src=http://127.0.0.1:9/ onerror=window.owned=2>\
    <style>*{display:none}</style>\x1b]0;owned\x07\u{202e}&lt;b&gt;";

#[test]
fn what_a_guest_says_runs_nothing_and_its_screen_is_shown() {
    let boot = vec![
        Act::Console(format!("{HOSTILE}\r\n")),
        Act::Console(format!(
            "[    1.0] Kernel panic - not syncing: {HOSTILE}\r\n"
        )),
        Act::Hang,
    ];
    let sandbox = Sandbox::with_guest(|_| guests::that_boots(boot));
    sandbox.rehearsal().assert().code(1);
    let page = sandbox.run_directory().join("report.html");
    assert_well_formed(&page);
    // The page of the rehearsal, and the one that is made again, are the same.
    let again = page_of(&sandbox, &sandbox.run_directory(), 1);
    assert_eq!(fs::read(&page).unwrap(), fs::read(again).unwrap());
    let mut browser = Browser::start();
    browser.open(&page, DESKTOP);
    assert_sound(&mut browser);
    assert_eq!(browser.evaluate("typeof window.owned"), json!("undefined"));
    assert_eq!(browser.evaluate("document.scripts.length"), json!(1));
    assert_eq!(browser.evaluate("document.styleSheets.length"), json!(1));
    let said = browser.evaluate("document.querySelector('#console-1-2').textContent");
    let said = said.as_str().unwrap();
    assert!(
        said.contains("</script><script>window.owned=1</script><img src="),
        "{said}"
    );
    assert!(!said.contains(['\x1b', '\u{202e}']), "{said}");
    let screen = "[...document.images].map(image => [image.src.startsWith('data:image/png;base64,'), image.naturalWidth])";
    assert_eq!(browser.evaluate(screen), json!([[true, 1]]));
    // Were markup to get through, the page's own policy would still stop it, and the browser tell.
    let broken = sandbox.place("broken.html");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&broken, text.replace("<main", &format!("{HOSTILE}<main"))).unwrap();
    browser.open(&broken, DESKTOP);
    assert_eq!(browser.evaluate("typeof window.owned"), json!("undefined"));
    assert!(
        browser.complaints().len() >= 2,
        "{:?}",
        browser.complaints()
    );
}
