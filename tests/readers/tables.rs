//! Tables and JSON, read by the modules that everybody has.

use crate::programs::{node, python};
use crate::sandbox::{Sandbox, repository};

/// A store with the awkward events.
pub fn awkward() -> Sandbox {
    let sandbox = Sandbox::with_store();
    let file = repository("tests/fixtures/awkward/events.jsonl");
    sandbox.ok(&["import", file.to_str().unwrap()]);
    sandbox
}

#[test]
fn python_reads_the_table_and_no_cell_is_a_formula() {
    let sandbox = awkward();
    sandbox.ok(&["export", "--to", "csv", "-o", "out.csv"]);
    let Some(told) = python("csv_cells", &[sandbox.path("out.csv").to_str().unwrap()]) else { return };
    assert_eq!(told, "20 rows of 21 cells, 0 formulas\n");
}

#[test]
fn node_reads_the_same_events_from_json_and_json_lines() {
    let sandbox = awkward();
    sandbox.ok(&["export", "--to", "json", "-o", "out.json"]);
    sandbox.ok(&["export", "--to", "jsonl", "-o", "out.jsonl"]);
    let files = ["out.json", "out.jsonl"].map(|name| sandbox.path(name).to_str().unwrap().to_owned());
    let Some(told) = node("json_documents", &[&files[0], &files[1]]) else { return };
    assert_eq!(told, "20 events, the same in both\n");
}
