//! report.html without a browser: what is in it, and what folders that lack something make of it.

use std::fs;

use keisoku::report::page::{self, Options};
use keisoku::report::view::{Against, Results};

use super::folder::{HOSTILE, Made, calibration};

fn html(made: &Made, options: &Options) -> String {
    let folder = made.folder();
    let path = page::write(folder.path(), options).unwrap();
    fs::read_to_string(path).unwrap()
}

fn details(html: &str) -> usize {
    html.matches("class=\"packed\"").count()
}

#[test]
fn a_page_loads_nothing_and_shows_every_view() {
    let html = html(&Made::default(), &Options::default());
    // SVG's name space is a name, not an address that anything is loaded from.
    let rest = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!rest.contains("http:") && !rest.contains("https:") && rest.contains("default-src 'none'"));
    for what in ["verdicts", "tracks", "counts", "trends"] {
        assert!(html.contains(&format!("<figure class=\"what-{what}\">")), "{what}");
    }
    assert_eq!(details(&html), 12);
}

#[test]
fn hostile_names_are_text() {
    let html = html(&Made { title: HOSTILE, window: HOSTILE, failed: Some(5), ..Made::default() }, &Options::default());
    assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &quot;q&quot; &amp; &#39;a&#39; 計測"));
    assert!(html.contains("Frames without an answer"));
}

#[test]
fn details_are_those_of_the_worst_verdicts_then_evenly_spaced_and_those_asked_for() {
    let made = Made { frames: 100, ..Made::default() };
    let of = |details: usize, frames: &[usize]| html(&made, &Options { details, frames: frames.to_vec(), against: Against::Best });
    let places = |html: &str| -> Vec<usize> {
        html.split("data-place=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
    };
    // Every tenth frame has a doubtful verdict: places 9, 19, …
    assert_eq!(places(&of(10, &[])), (0..10).map(|i| 10 * i + 9).collect::<Vec<_>>());
    let twelve = places(&of(12, &[4]));
    assert!(twelve.contains(&3) && twelve.contains(&9) && twelve.contains(&99) && twelve.len() == 12, "{twelve:?}");
    assert_eq!(places(&of(0, &[])), [0; 0]);
}

#[test]
fn a_frame_that_is_not_there_is_refused_with_what_there_is() {
    let folder = Made { failed: Some(5), ..Made::default() }.folder();
    let error = |frames: Vec<usize>| page::write(folder.path(), &Options { frames, ..Options::default() }).unwrap_err().to_string();
    assert!(error(vec![77]).contains("no frame 77") && error(vec![77]).contains("from 1 to 12"));
    assert!(error(vec![5]).contains("frame 5 has no answer"));
}

#[test]
fn a_torn_journal_one_frame_and_none_still_make_a_page() {
    let folder = Made::default().folder();
    let journal = folder.path().join("results.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 100]).unwrap();
    assert_eq!(Results::open(folder.path()).unwrap().frames.len(), 11);
    page::write(folder.path(), &Options::default()).unwrap();
    let one = html(&Made { frames: 1, ..Made::default() }, &Options::default());
    assert!(details(&one) == 1 && !one.contains("id=\"series\"") && !one.contains("id=\"slider\""));
    let none = html(&Made { frames: 3, failed: Some(1), ..Made::default() }, &Options::default());
    assert!(none.contains("No frame has an answer yet") && none.contains("Frames without an answer"));
}

#[test]
fn a_calibration_has_its_page() {
    let folder = tempfile::tempdir().unwrap();
    calibration(folder.path());
    let html = fs::read_to_string(page::write(folder.path(), &Options::default()).unwrap()).unwrap();
    assert!(
        html.contains("what-ranks") && html.contains("what-coverage") && html.contains("not calibrated") && !html.contains("<script>alert")
    );
}
