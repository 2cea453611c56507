//! What differs between two resolved specs, key by key.

use toml::{Table, Value};

/// Differences shown at most.
const SHOWN: usize = 3;

/// The keys whose values differ, as `run.seed was 1, is 2`; empty where the texts mean the same. Folders do not count: the frames'
/// own hashes say whether the data are the same.
pub(super) fn between(old: &str, new: &str) -> String {
    let (Ok(old), Ok(new)) = (old.parse::<Table>(), new.parse::<Table>()) else { return String::new() };
    let mut differences = Vec::new();
    compare("", Some(&Value::Table(old)), Some(&Value::Table(new)), &mut differences);
    differences.retain(|(key, _)| !matches!(key.as_str(), "data.folder" | "data.frames.table") && !key.starts_with("simulate"));
    let more = differences.len().saturating_sub(SHOWN);
    let mut text = differences.iter().take(SHOWN).map(|(key, what)| format!("{key} {what}")).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text += &format!("; and {more} more");
    }
    text
}

fn compare(key: &str, old: Option<&Value>, new: Option<&Value>, differences: &mut Vec<(String, String)>) {
    let under = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match (old, new) {
        (Some(Value::Table(a)), Some(Value::Table(b))) => {
            for (name, value) in a {
                compare(&under(name), Some(value), b.get(name), differences);
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                compare(&under(name), None, Some(value), differences);
            }
        }
        // Lists of tables ([[window]]) are compared entry by entry, counted from 1; lists of numbers as a whole.
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.iter().chain(b).all(Value::is_table) => {
            for i in 0..a.len().max(b.len()) {
                compare(&format!("{key}[{}]", i + 1), a.get(i), b.get(i), differences);
            }
        }
        (Some(a), Some(b)) if a == b => {}
        (Some(a), Some(b)) => differences.push((key.to_owned(), format!("was {}, is {}", brief(a), brief(b)))),
        (Some(a), None) => differences.push((key.to_owned(), format!("was {}, is not there", brief(a)))),
        (None, Some(b)) => differences.push((key.to_owned(), format!("was not there, is {}", brief(b)))),
        (None, None) => {}
    }
}

fn brief(value: &Value) -> String {
    match value {
        Value::Table(_) => "a table".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn keys_are_named() {
        let old = "[data]\nfolder = '/a'\n[[window]]\nrange = [1, 2]\n[[window.term]]\nmodel = 'gaussian'\ncount = '0..3'\n[run]\nseed = 1";
        assert_eq!(between(old, &old.replace("/a", "/b")), "");
        assert_eq!(between(old, &old.replace("0..3", "0..4")), "window[1].term[1].count was \"0..3\", is \"0..4\"");
        assert_eq!(between(old, &old.replace("seed = 1", "copies = 4")), "run.seed was 1, is not there; run.copies was not there, is 4");
        assert_eq!(between(old, &old.replace("[1, 2]", "[1, 3]")), "window[1].range was [1, 2], is [1, 3]");
    }
}
