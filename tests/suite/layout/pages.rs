//! What is printed of the models: the list, the page of each, and the README's table.

use keisoku::cli::models::{list, markdown_table, page, run};
use keisoku::models::MODELS;

#[test]
fn every_model_is_listed_and_has_a_page() {
    let (list, table) = (list(), markdown_table());
    for model in MODELS {
        assert!(list.lines().any(|l| l.split_whitespace().next() == Some(model.name)), "{}", model.name);
        assert!(table.contains(&format!("| `{}` | {} |", model.name, model.title)), "{}", model.name);
        let page = page(model);
        assert!(page.starts_with(&format!("{}: {}\n", model.name, model.title)));
        for q in (model.parameters)(model.size.map_or(0, |(_, default)| default)) {
            assert!(!q.about.is_empty() && page.contains(q.about), "{}: {}", model.name, q.name);
        }
        assert!(model.about.ends_with('.'), "{}: a definition is a sentence", model.name);
    }
}

#[test]
fn names_are_words_of_specs_and_unique() {
    for (i, model) in MODELS.iter().enumerate() {
        assert!(model.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", model.name);
        assert!(MODELS[..i].iter().all(|other| other.name != model.name), "{} twice", model.name);
    }
}

#[test]
fn a_misspelt_model_gets_a_hint() {
    let error = run(Some("pseudovoigt")).unwrap_err().to_string();
    assert!(error.contains("`pseudovoigt`") && error.contains("did you mean `pseudo-voigt`?"), "{error}");
}

#[test]
fn the_table_in_the_readme_is_the_list() {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let Ok(readme) = std::fs::read_to_string(readme) else {
        eprintln!("skipped: no README.md");
        return;
    };
    let between = readme.split_once("<!-- models -->\n").and_then(|(_, rest)| rest.split_once("<!-- /models -->"));
    let table = between.expect("README.md has <!-- models --> and <!-- /models -->").0;
    assert_eq!(table.trim(), markdown_table().trim(), "paste this into README.md:\n{}", markdown_table());
}
