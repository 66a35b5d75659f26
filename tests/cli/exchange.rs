//! Importing and exporting through the command line.

use crate::sandbox::{Sandbox, repository};

#[test]
fn the_whole_log_moves_to_another_store_with_its_root() {
    let sandbox = Sandbox::with_haiti();
    sandbox.ok(&["--timeline", "haiti", "retract", "lead-search", "--reason", "not an event"]);
    sandbox.ok(&["append", "--title", "In another timeline"]);
    let records = sandbox.ok(&["export", "--to", "jsonl", "--records"]);
    assert_eq!(records.lines().count(), 22);
    let other = Sandbox::with_store();
    other.wait_an_hour();
    other.ok_with(&["import", "-", "--from", "jsonl", "--keep-record-times"], &records);
    let root = |sandbox: &Sandbox| sandbox.json(&["stats"])["log_root"].clone();
    assert_eq!(root(&other), root(&sandbox));
    assert_eq!(other.ok(&["export", "--to", "jsonl", "--records"]), records);
    other.ok(&["verify"]);
}

#[test]
fn an_import_is_all_or_nothing_and_names_every_bad_line() {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "bad.jsonl",
        "{\"id\":\"a\",\"title\":\"A\"}\n\n{\"id\":\"b\"}\nnot json\n{\"id\":\"c\",\"title\":\"C\",\"date\":\"July\"}\n",
    );
    sandbox.write("one.jsonl", "{\"id\":\"a\",\"title\":\"A\"}\n{\"id\":\"b\"}\n");
    sandbox.write(
        "gone.jsonl",
        "{\"id\":\"a\",\"title\":\"A\"}\n{\"op\":\"retract\",\"id\":\"b\",\"reason\":\"r\"}\n",
    );
    insta::assert_snapshot!(sandbox.session(
        "
        import bad.jsonl
        import one.jsonl
        import gone.jsonl
        import missing.jsonl
        import one.xyz
        import one.jsonl --from cvs
        import one.jsonl --map title=T
        stats
        "
    ));
}

/// A line that cannot be read goes before one that the log refuses, wherever in the chunk the two stand.
#[test]
fn an_import_tells_of_unreadable_lines_before_refused_ones() {
    let sandbox = Sandbox::with_store();
    let mut lines =
        vec!["{\"id\":\"a\",\"title\":\"A\"}".to_owned(), "{\"id\":\"a\",\"title\":\"B\"}".to_owned()];
    lines.extend((0..3000).map(|n| format!("{{\"id\":\"e{n}\",\"title\":\"E\"}}")));
    lines.extend(["{\"id\":\"z\"}".to_owned(), "{\"id\":\"y\",\"title\":\"Y\"}".to_owned()]);
    sandbox.write("both.jsonl", &lines.join("\n"));
    let told = sandbox.session("\nimport both.jsonl\nimport both.jsonl --chunk 100\nstats\n");
    let (whole, rest) = told.split_once("--chunk 100").expect("because the session shows its commands");
    assert!(whole.contains("line 3003 was refused") && !whole.contains("line 2 "), "{told}");
    assert!(rest.contains("line 2 was refused") && !rest.contains("line 3003"), "{told}");
    assert!(rest.contains("nothing was written"), "{told}");
}

#[test]
fn a_chunked_import_continues_where_it_stopped() {
    let sandbox = Sandbox::with_store();
    let line = |n: u32| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\"}}\n");
    let good: String = (0..10).map(line).collect();
    let broken: String =
        (0..7).map(line).chain(["{\"id\":7}\n".to_owned()]).chain((8..10).map(line)).collect();
    sandbox.write("broken.jsonl", &broken);
    sandbox.write("good.jsonl", &good);
    insta::assert_snapshot!(sandbox.session(
        "
        import broken.jsonl --chunk 3
        import good.jsonl --chunk 3
        import good.jsonl
        --format json import good.jsonl
        verify
        "
    ));
}

#[test]
fn an_expectation_holds_for_the_import_as_a_whole() {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "three.jsonl",
        "{\"id\":\"a\",\"title\":\"A\"}\n{\"id\":\"b\",\"title\":\"B\"}\n{\"id\":\"c\",\"title\":\"C\"}\n",
    );
    sandbox.write("twice.jsonl", "{\"id\":\"x\",\"title\":\"A\"}\n{\"id\":\"x\",\"title\":\"B\"}\n");
    sandbox.write("later.jsonl", "{\"id\":\"y\",\"title\":\"A\",\"recorded_at\":\"2920-01-01T00:00:00Z\"}\n");
    insta::assert_snapshot!(sandbox.session(
        "
        import three.jsonl --chunk 1 --expect empty
        import twice.jsonl
        import later.jsonl --keep-record-times
    "
    ));
}

#[test]
fn record_times_are_kept_only_when_asked_and_never_go_back() {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "times.jsonl",
        "{\"id\":\"a\",\"title\":\"A\",\"recorded_at\":\"2023-11-13T09:00:00Z\",\"recorded_by\":\"ann\"}\n\
         {\"id\":\"b\",\"title\":\"B\",\"recorded_at\":\"2023-11-12T09:00:00Z\"}\n",
    );
    insta::assert_snapshot!(sandbox.session(
        "
        import times.jsonl --keep-record-times
        import times.jsonl
        log
        "
    ));
}

#[test]
fn every_export_of_the_haiti_timeline_is_what_it_was() {
    let sandbox = Sandbox::with_haiti();
    for format in ["jsonl", "json", "csv", "markdown", "geojson", "jsonld", "atom"] {
        let exported = sandbox.ok(&["--timeline", "haiti", "export", "--to", format]);
        insta::assert_snapshot!(format!("haiti_as_{format}"), exported);
    }
}

#[test]
fn an_export_that_would_lose_something_is_refused_where_nothing_may_be_lost() {
    let sandbox = Sandbox::with_haiti();
    insta::assert_snapshot!(sandbox.session(
        "
        --timeline haiti export --to geojson -o lost.geojson --strict
        --timeline haiti export --to geojson -o told.geojson
        --timeline haiti export --to jsonld -o whole.jsonld --strict
        --timeline haiti export --to parquet -o whole.parquet --strict
        "
    ));
    assert!(!sandbox.path("lost.geojson").exists());
    assert!(std::fs::read(sandbox.path("whole.parquet")).unwrap().starts_with(b"PAR1"));
}

#[test]
fn an_export_goes_through_a_pipe_and_does_not_take_its_place() {
    use std::os::unix::fs::FileTypeExt as _;
    let sandbox = Sandbox::with_haiti();
    let pipe = sandbox.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    sandbox.ok(&["--timeline", "haiti", "export", "--to", "csv", "-o", "pipe"]);
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(reader.join().unwrap(), sandbox.ok(&["--timeline", "haiti", "export", "--to", "csv"]));
}

#[test]
fn a_table_comes_back_as_the_events_that_it_was() {
    let sandbox = Sandbox::with_haiti();
    for format in ["csv", "jsonl"] {
        let file = format!("haiti.{format}");
        sandbox.ok(&["--timeline", "haiti", "export", "--to", format, "-o", &file]);
        let other = Sandbox::with_store();
        other.write(&file, &std::fs::read_to_string(sandbox.path(&file)).unwrap());
        other.ok(&["import", &file]);
        let events = |sandbox: &Sandbox| sandbox.ok(&["--timeline", "haiti", "--format", "jsonl", "list"]);
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(events(&other)), sorted(events(&sandbox)), "{format}");
    }
}

#[test]
fn exports_are_filtered_and_appear_whole_or_not_at_all() {
    let sandbox = Sandbox::with_haiti();
    let lines = |args: &[&str]| {
        let mut all = vec!["--timeline", "haiti", "export", "--to", "jsonl"];
        all.extend(args);
        sandbox.ok(&all).lines().count()
    };
    assert_eq!(lines(&[]), 19);
    assert_eq!(lines(&["--kind", "pledge"]), 4);
    assert_eq!(lines(&["--as-of", "2018"]), 3);
    assert_eq!(lines(&["--from", "2017", "--until", "2019", "--certainty", "surely"]), 2);
    let done = sandbox.run(&["--timeline", "haiti", "export", "--to", "csv", "-o", "no/such/place.csv"]);
    assert_eq!(done.code, 1);
    let done = sandbox.run(&["--timeline", "none", "export", "--to", "csv", "-o", "out.csv"]);
    assert_eq!(done.code, 1);
    assert!(!sandbox.path("out.csv").exists());
    assert_eq!(sandbox.run(&["--timeline", "haiti", "export", "--to", "csv", "--records"]).code, 2);
    assert_eq!(sandbox.run(&["--timeline", "haiti", "export", "--to", "cvs"]).code, 2);
}

#[test]
fn a_hostile_cell_is_guarded_and_comes_back_unguarded() {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "x", "--title", "=HYPERLINK(\"https://evil.example\")", "--tag", "+1"]);
    let guarded = sandbox.ok(&["export", "--to", "csv"]);
    assert!(guarded.contains("\"'=HYPERLINK("), "{guarded}");
    assert!(sandbox.ok(&["export", "--to", "csv", "--raw"]).contains(",\"=HYPERLINK("));
    let other = Sandbox::with_store();
    other.ok_with(&["import", "-", "--from", "csv"], &guarded);
    assert_eq!(other.json(&["list"])[0]["title"], "=HYPERLINK(\"https://evil.example\")");
}

#[test]
fn a_map_can_be_kept_in_a_file() {
    let sandbox = Sandbox::with_store();
    sandbox.write("people.csv", "Name,Born,Died,Note\nAda,1815-12-10,1852,poet's daughter\n");
    sandbox.write("map.toml", "[map]\nid = \"{Name}\"\ntitle = \"{Name} lived\"\nstart = \"Born\"\nend = \"Died\"\n\n[literal]\nkind = \"life\"\n");
    insta::assert_snapshot!(sandbox.session(
        "
        import people.csv --map-file map.toml
        show Ada
        import people.csv --map titel=Name
        import people.csv --map title=Nmae
        import people.csv --map-file no.toml
        "
    ));
    assert!(repository("README.md").exists());
}

#[test]
fn a_calendar_is_read_by_its_name_and_says_what_it_understood() {
    let sandbox = Sandbox::with_store();
    sandbox.write(
        "other.ics",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a@x\r\nDTSTART;VALUE=DATE:20231002\r\nRRULE:FREQ=YEARLY\r\n\
         SUMMARY:The vote\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    sandbox.write("bad.mw", "2023-10-02: The vote\nafter !vote 3 days: The answer\n2023-13: A month\n");
    sandbox.write(
        "slides.json",
        "{\"events\":[{\"start_date\":{\"year\":\"2004\"},\"text\":{\"headline\":\"A\"}}]}",
    );
    insta::assert_snapshot!(sandbox.session(
        "
        import other.ics
        import other.ics
        import bad.mw
        import slides.json --from timelinejs
        import slides.json --from markwhen --map title=T
        list
        export --to mermaid
        export --to ics --strict
        export --to timesketch --until 2005
        "
    ));
}

#[test]
fn events_move_to_another_store_through_the_formats_of_other_programs() {
    let events =
        |sandbox: &Sandbox| sandbox.json(&["--timeline", "haiti", "list"]).as_array().unwrap().clone();
    let known = Sandbox::with_haiti();
    for (format, name) in
        [("ics", "a.ics"), ("timelinejs", "a.json"), ("markwhen", "a.mw"), ("timesketch", "a.jsonl")]
    {
        let text = known.ok(&["--timeline", "haiti", "export", "--to", format]);
        let other = Sandbox::with_store();
        other.write(name, &text);
        other.ok(&["import", name, "--from", format]);
        let undated = events(&known).into_iter().filter(|event| event.get("date").is_none()).count();
        let found = events(&other);
        assert_eq!(found.len() + undated, events(&known).len(), "{format}");
        assert!(found.iter().all(|event| events(&known).contains(event)), "{format}");
    }
}
