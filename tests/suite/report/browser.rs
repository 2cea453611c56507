//! The report in a real browser: every figure with its marks, the slider and the keys, wide and narrow, and ten thousand frames.

use std::path::{Path, PathBuf};
use std::time::Instant;

use keisoku::report::page::{self, Options};
use serde_json::json;

use super::driver::{Browser, browser};
use super::folder::{HOSTILE, Made, calibration};

const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';

fn report(folder: &Path, options: &Options) -> PathBuf {
    page::write(folder, options).unwrap()
}

/// What has gone wrong in the page's own eyes.
fn quiet(browser: &Browser) {
    assert_eq!(browser.console(), [""; 0]);
}

/// No text of a figure lies outside of its figure, and nothing makes the page wider than the view.
pub fn nothing_is_cut(browser: &Browser) {
    let outside = browser.run(
        "return [...document.querySelectorAll('svg.figure text')].filter((t) => {
           const [b, s] = [t.getBoundingClientRect(), t.closest('svg.figure').getBoundingClientRect()];
           return b.left < s.left - 1 || b.right > s.right + 1 || b.top < s.top - 2 || b.bottom > s.bottom + 2;
         }).map((t) => t.closest('svg.figure').dataset.what + ': ' + t.textContent)",
    );
    assert_eq!(outside, json!([]));
    assert!(browser.number("document.documentElement.scrollWidth - innerWidth") <= 0.0);
}

#[test]
fn every_figure_is_there_at_both_widths_and_in_both_lights() {
    let Some(browser) = browser() else { return };
    let folder = Made { failed: Some(11), ..Made::default() }.folder();
    let path = report(folder.path(), &Options::default());
    for (width, height) in [(1400, 900), (400, 800)] {
        browser.size(width, height);
        for scheme in ["light", "dark"] {
            browser.scheme(scheme);
            browser.open(&path);
            let paper = browser.run("return getComputedStyle(document.body).backgroundColor");
            assert_eq!(paper == json!("rgb(255, 255, 255)"), scheme == "light", "{paper}");
            println!("{width} px, {scheme}");
            browser.has(&[
                (".what-verdicts path.cell", 4),
                (".what-tracks path.track", 2),
                (".what-tracks path.track-band", 2),
                (".what-counts path.count", 3),
                (".what-trends path.trend", 5),
                (".what-trends g.panel", 3),
                (".what-evidence path.free-energy", 1),
                (".what-evidence path.probability", 3),
                (".what-positions path.positions", 1),
                (".what-marginals path.prior", 5),
                (".what-ladder path.rejection", 1),
                (".what-ladder path.barrier", 1),
                ("p.what-fit", 1),
                ("p.what-noise", 1),
                ("#failures tbody tr", 1),
                ("#frame-table tbody tr", 11),
                ("table.candidates tbody tr", 3),
                ("table.parameters tbody tr", 5),
                ("#series line.cursor", 6),
            ]);
            nothing_is_cut(&browser);
            quiet(&browser);
        }
    }
    browser.run("document.querySelector('#theme').click()");
    assert_eq!(browser.run("return document.documentElement.dataset.theme"), json!("light"));
}

#[test]
fn slider_keys_clicks_and_tables_choose_frames_and_hover_tells_numbers() {
    let Some(browser) = browser() else { return };
    let folder = Made::default().folder();
    browser.size(1400, 900);
    browser.open(&report(folder.path(), &Options::default()));
    let shown = |place: usize| browser.wait(&format!("document.body.dataset.shown === '{place}'"));
    shown(0);
    browser.key(RIGHT);
    shown(1);
    browser.key(LEFT);
    shown(0);
    browser.run("const s = document.querySelector('#slider'); s.value = 6; s.dispatchEvent(new Event('input'));");
    shown(6);
    assert_eq!(browser.run("return document.querySelector('#frame-title').textContent"), json!("Frame 7: f7"));
    // The address leads back to it.
    let path = browser.run("return location.href").as_str().unwrap().to_owned();
    assert!(path.ends_with("#frame-7"), "{path}");
    browser.visit("about:blank");
    browser.visit(&path);
    shown(6);
    browser.visit("about:blank");
    browser.visit(&path.replace("#frame-7", "#last"));
    shown(11);
    browser.visit(&path);
    shown(6);
    // One peak only in this frame.
    assert_eq!(browser.count("table.parameters tbody tr"), 3);
    browser.run("document.querySelector('#frame-table tr[data-place=\"3\"] td').click()");
    shown(3);
    // A click in the middle of the strip is a click on the frame there.
    browser.run("document.querySelector('.what-verdicts svg').scrollIntoView({ block: 'center' })");
    let at =
        |part: &str| browser.number(&format!("document.querySelector('.what-verdicts .panel rect.frame').getBoundingClientRect().{part}"));
    browser.point(at("left") + at("width") * 10.5 / 12.0, at("top") + at("height") / 2.0, true);
    shown(10);
    hover_tells_numbers(&browser);
    browser.run("[...document.querySelectorAll('#frame-table th')].find((h) => h.textContent === 'p').click()");
    browser.run("document.querySelector('#frame-table th').click(); document.querySelector('#frame-table th').click()");
    assert_eq!(browser.run("return document.querySelector('#frame-table tbody td').textContent"), json!("12"));
    browser
        .run("const h = [...document.querySelectorAll('table.candidates th')].find((h) => h.textContent === 'p'); h.click(); h.click();");
    assert_eq!(browser.run("return document.querySelector('table.candidates tbody td').textContent"), json!("K=2"));
    quiet(&browser);
}

/// The numbers beside the pointer are those of the axis, to a pixel that the pointer has.
fn hover_tells_numbers(browser: &Browser) {
    browser.run("document.querySelector('.what-positions svg').scrollIntoView({ block: 'center' })");
    let at = |part: &str| browser.number(&format!("document.querySelector('.what-positions rect.frame').getBoundingClientRect().{part}"));
    for share in [0.25, 0.5, 0.9] {
        let x = (at("left") + at("width") * share).round();
        browser.point(x, at("top") + at("height") / 2.0, false);
        let told = browser.run("return document.querySelector('#tip').textContent");
        let told = told.as_str().unwrap().lines().next().unwrap().to_owned();
        let value: f64 = told.split_once("= ").unwrap().1.parse().unwrap();
        let expected = 4.0 + (x - at("left")) / at("width");
        assert!((value - expected).abs() < 1.5e-4, "{told}, expected {expected}");
    }
}

#[test]
fn figures_are_saved_with_their_colours() {
    let Some(browser) = browser() else { return };
    let folder = Made::default().folder();
    browser.open(&report(folder.path(), &Options::default()));
    let saved = browser.run(
        "let saved = ''; const old = URL.createObjectURL; let blob;
         URL.createObjectURL = (b) => { blob = b; return old.call(URL, b); };
         document.querySelector('.what-counts button.save').click();
         return blob.text()",
    );
    let saved = saved.as_str().unwrap();
    assert!(
        saved.starts_with("<svg") && saved.contains("#0072b2") && !saved.contains("var(--") && !saved.contains("cursor"),
        "{saved:.300}"
    );
}

#[test]
fn hostile_names_run_nothing_and_a_calibration_is_shown() {
    let Some(browser) = browser() else { return };
    let folder = Made { title: HOSTILE, window: HOSTILE, failed: Some(5), ..Made::default() }.folder();
    browser.open(&report(folder.path(), &Options::default()));
    assert_eq!(browser.run("return document.querySelector('h1').textContent"), json!(HOSTILE));
    assert_eq!(browser.run("return document.title"), json!(HOSTILE));
    assert_eq!(browser.run("return document.querySelector('#frame-title').textContent"), json!(format!("Frame 1: {HOSTILE} 1")));
    quiet(&browser);
    let calibrated = tempfile::tempdir().unwrap();
    calibration(calibrated.path());
    browser.open(&report(calibrated.path(), &Options::default()));
    assert_eq!((browser.count(".what-ranks path.rank"), browser.count(".what-coverage path.coverage")), (2, 3));
    nothing_is_cut(&browser);
    quiet(&browser);
}

/// Ten thousand frames: the file can be mailed, the page is there soon, and a step takes no time that one feels.
#[test]
fn ten_thousand_frames_stay_responsive() {
    let Some(browser) = browser() else { return };
    let folder = Made { frames: 10_000, failed: Some(501), ..Made::default() }.folder();
    let began = Instant::now();
    let path = report(folder.path(), &Options::default());
    let made = began.elapsed();
    let size = path.metadata().unwrap().len();
    browser.size(1400, 900);
    let began = Instant::now();
    browser.open(&path);
    let loaded = began.elapsed();
    let nodes = browser.count("*");
    // Twenty steps, each until its marks and its details are drawn.
    browser.run(
        "window.took = [];
         (async () => {
           for (let i = 0; i < 20; i++) {
             const began = performance.now(), slider = document.querySelector('#slider'), to = String(i * 400);
             slider.value = to;
             slider.dispatchEvent(new Event('input'));
             while (document.body.dataset.shown !== to) await new Promise((r) => setTimeout(r, 0));
             await new Promise((r) => requestAnimationFrame(() => setTimeout(r, 0)));
             window.took.push(performance.now() - began);
           }
           window.took.sort((a, b) => a - b);
         })();",
    );
    browser.wait("window.took.length === 20");
    let (median, worst) = (browser.number("window.took[10]"), browser.number("window.took[19]"));
    browser.run("window.began = performance.now(); document.querySelector('#frame-table th').click(); window.sorted = performance.now() - window.began;");
    let sorted = browser.number("window.sorted");
    println!(
        "10 000 frames: made in {made:.1?}, {:.1} MB, {nodes} elements, loaded in {loaded:.1?}, a step {median:.0} ms (worst {worst:.0}), sorted in {sorted:.0} ms",
        size as f64 / 1e6
    );
    assert!(size < 20_000_000 && nodes < 5000 && loaded.as_secs() < 20 && median < 400.0 && sorted < 1000.0);
    assert_eq!(browser.count("#frame-table tbody tr"), 25);
    quiet(&browser);
}

/// Pictures for a person's eye: where `KEISOKU_PICTURES` names a folder of results, the report's views are written beside it.
#[test]
fn pictures_for_the_eye() {
    let Ok(folder) = std::env::var("KEISOKU_PICTURES") else { return };
    let Some(browser) = browser() else { return };
    let folder = PathBuf::from(folder);
    let path = report(&folder, &Options::default());
    let decode = |text: String| -> Vec<u8> {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (mut out, mut word, mut bits) = (Vec::new(), 0u32, 0);
        for letter in text.bytes().filter_map(|b| LETTERS.iter().position(|l| *l == b)) {
            (word, bits) = (word << 6 | letter as u32, bits + 6);
            if bits >= 8 {
                bits -= 8;
                out.push((word >> bits) as u8);
            }
        }
        out
    };
    for (width, height) in [(1400, 1000), (400, 900)] {
        for scheme in ["light", "dark"] {
            browser.size(width, height);
            browser.scheme(scheme);
            browser.open(&path);
            let whole = browser.number("document.documentElement.scrollHeight").min(12_000.0) as u32;
            browser.size(width, whole);
            std::thread::sleep(std::time::Duration::from_millis(400));
            std::fs::write(folder.join(format!("view-{width}-{scheme}.png")), decode(browser.picture())).unwrap();
        }
    }
    browser.scheme("dark");
    browser.size(1000, 1000);
    std::fs::write(folder.join("view.pdf"), decode(browser.print())).unwrap();
}
