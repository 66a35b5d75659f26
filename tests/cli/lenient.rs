//! Imports that go on behind what is refused: dry runs, and lines that are put aside.

use crate::sandbox::Sandbox;

const MIXED: &str = "{\"id\":\"a\",\"title\":\"A\"}\n\n\
                     {\"id\":\"b\"}\n\
                     not json\r\n\
                     {\"id\":\"a\",\"title\":\"Another A\"}\n\
                     {\"op\":\"revise\",\"id\":\"nowhere\",\"title\":\"X\"}\n\
                     {\"op\":\"revise\",\"id\":\"a\",\"title\":\"A, mended\"}\n\
                     {\"title\":\"Without an id\",\"date\":\"July\"}\n\
                     {\"id\":\"old\",\"title\":\"Not what is there\"}\n\
                     {\"id\":\"z\",\"title\":\"Z\"}";

/// The lines of it that cannot be recorded, as they are, each with an end.
const REFUSED: &str = "{\"id\":\"b\"}\n\
                       not json\r\n\
                       {\"id\":\"a\",\"title\":\"Another A\"}\n\
                       {\"op\":\"revise\",\"id\":\"nowhere\",\"title\":\"X\"}\n\
                       {\"title\":\"Without an id\",\"date\":\"July\"}\n\
                       {\"id\":\"old\",\"title\":\"Not what is there\"}\n";

fn with_mixed() -> Sandbox {
    let sandbox = Sandbox::with_store();
    sandbox.ok(&["append", "--id", "old", "--title", "Old"]);
    sandbox.write("mixed.jsonl", MIXED);
    sandbox
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(name)).unwrap()
}

#[test]
fn a_dry_run_tells_everything_and_writes_nothing() {
    let sandbox = with_mixed();
    sandbox.write("good.jsonl", "{\"id\":\"g\",\"title\":\"G\"}\n{\"id\":\"old\",\"title\":\"Old\"}\n");
    sandbox.write("empty.jsonl", "");
    sandbox.write("odd.csv", "name,when\nA,2004\n");
    let before = sandbox.ok(&["log", "--format", "jsonl"]);
    insta::assert_snapshot!(sandbox.session(
        "
        import mixed.jsonl --dry-run
        --format json import mixed.jsonl --dry-run
        import mixed.jsonl --dry-run --skip-bad aside.jsonl
        import good.jsonl --dry-run
        import good.jsonl --dry-run --expect empty
        import empty.jsonl --dry-run
        import odd.csv --dry-run
        "
    ));
    assert_eq!(sandbox.ok(&["log", "--format", "jsonl"]), before);
    assert!(!sandbox.path("aside.jsonl").exists());
}

#[test]
fn the_exit_code_of_a_dry_run_is_that_of_the_import() {
    let files = [
        MIXED,
        "{\"id\":\"g\",\"title\":\"G\"}\n",
        "",
        "{\"id\":\"g\",\"title\":\"G\"}\n{\"id\":\"g\",\"title\":\"H\"}\n",
        "{\"op\":\"retract\",\"id\":\"old\",\"reason\":\"r\"}\n{\"op\":\"revise\",\"id\":\"old\",\"title\":\"New\"}\n",
        "\u{feff}{\"id\":\"g\",\"title\":\"G\"}\n",
        "{\"id\":\"g\",\"title\":\"G\",\"recorded_at\":\"2920-01-01T00:00:00Z\"}\n",
    ];
    for file in files {
        let sandbox = with_mixed();
        sandbox.write("file.jsonl", file);
        for more in [&[][..], &["--keep-record-times"], &["--expect", "1"]] {
            let run = |dry: &[&str]| {
                let args = [&["import", "file.jsonl"], more, dry].concat();
                sandbox.run(&args).code
            };
            assert_eq!(run(&["--dry-run"]), run(&[]), "{file} {more:?}");
        }
    }
}

#[test]
fn refused_lines_are_put_aside_as_they_are() {
    let sandbox = with_mixed();
    insta::assert_snapshot!(sandbox.session(
        "
        import mixed.jsonl --skip-bad aside.jsonl
        list
        import mixed.jsonl --skip-bad aside.jsonl
        import mixed.jsonl --skip-bad no/such/place.jsonl
        --format json import mixed.jsonl --skip-bad again.jsonl
        "
    ));
    assert_eq!(read(&sandbox, "aside.jsonl"), REFUSED);
    assert_eq!(read(&sandbox, "again.jsonl"), REFUSED);
    // From standard input, and chunk by chunk, it is the same.
    for chunk in [&[][..], &["--chunk", "1"], &["--chunk", "3"]] {
        let sandbox = with_mixed();
        let args = [&["import", "-", "--from", "jsonl", "--skip-bad", "aside.jsonl"], chunk].concat();
        sandbox.ok_with(&args, MIXED);
        assert_eq!(read(&sandbox, "aside.jsonl"), REFUSED, "{chunk:?}");
        assert_eq!(sandbox.json(&["stats"])["records"], 4, "{chunk:?}");
        sandbox.ok(&["verify"]);
    }
}

#[test]
fn a_file_without_refused_lines_leaves_none_aside() {
    let sandbox = Sandbox::with_store();
    sandbox.write("good.jsonl", "{\"id\":\"g\",\"title\":\"G\"}\n");
    assert_eq!(sandbox.ok(&["import", "good.jsonl", "--skip-bad", "aside.jsonl"]), "1 appended\n");
    assert!(!sandbox.path("aside.jsonl").exists());
}

#[test]
fn rows_are_put_aside_under_their_header_and_come_back_mended() {
    for end in ["\n", "\r\n", "\r"] {
        let sandbox = Sandbox::with_store();
        let table = |rows: &str| format!("\u{feff}id,\"date\nof it\",title\n{rows}").replace('\n', end);
        let good = "a,2004,\"A, in\ntwo lines\"\n";
        let bad = "b,July,\"B, in\ntwo lines\"\nc,2004\n\"d\"x,2004,D\na,2005,Another A\n";
        sandbox.write("table.csv", &table(&format!("{good}\n{bad}e,2005,E\n")));
        let import =
            |file: &str, more: &[&str]| sandbox.run(&[&["import", file, "--map", &map(end)], more].concat());
        let done =
            import("table.csv", &["--map", "id=id", "--map", "title=title", "--skip-bad", "aside.csv"]);
        assert_eq!((done.code, done.stdout.as_str()), (0, "2 appended, 4 put aside\n"), "{}", done.stderr);
        assert_eq!(read(&sandbox, "aside.csv"), table(bad), "{end:?}");
        let mended = read(&sandbox, "aside.csv").replace("July", "2006").replace("c,2004", "c,2004,C");
        let mended = mended.replace("\"d\"x", "d").replace("a,2005", "f,2005");
        sandbox.write("mended.csv", &mended);
        let done = import("mended.csv", &["--map", "id=id", "--map", "title=title"]);
        assert_eq!((done.code, done.stdout.as_str()), (0, "4 appended\n"), "{}", done.stderr);
    }
}

/// The rule for the column whose name has a line end in it.
fn map(end: &str) -> String {
    format!("date=date{end}of it")
}

#[test]
fn a_batch_that_fails_as_a_whole_puts_nothing_aside() {
    let sandbox = with_mixed();
    insta::assert_snapshot!(sandbox.session(
        "
        import mixed.jsonl --skip-bad aside.jsonl --expect empty
        import missing.jsonl --skip-bad aside.jsonl
        import mixed.jsonl --from csv --skip-bad aside.csv
        stats
        "
    ));
    assert!(!sandbox.path("aside.jsonl").exists() && !sandbox.path("aside.csv").exists());
}

#[test]
fn many_refused_lines_are_counted_and_the_first_ones_told() {
    let sandbox = Sandbox::with_store();
    let lines: String =
        (0..1_000).map(|n| format!("{{\"id\":{n}}}\n{{\"id\":\"e{n}\",\"title\":\"E\"}}\n")).collect();
    sandbox.write("many.jsonl", &lines);
    let done = sandbox.run(&["import", "many.jsonl", "--skip-bad", "aside.jsonl", "--chunk", "100"]);
    assert_eq!((done.code, done.stdout.as_str()), (0, "1,000 appended, 1,000 put aside\n"));
    assert_eq!(done.stderr.lines().count(), 21, "{}", done.stderr);
    assert_eq!(read(&sandbox, "aside.jsonl").lines().count(), 1_000);
    let done = sandbox.run(&["import", "many.jsonl", "--dry-run"]);
    assert_eq!(done.code, 1);
    assert_eq!(done.stderr.matches("would be refused").count(), 1_001);
}

/// A file with refused entries among good ones: its name, its format, the text, what is put aside, and what mends that.
type Other = (&'static str, &'static str, String, String, Vec<(&'static str, &'static str)>);

/// One of each format.
fn others() -> Vec<Other> {
    let event = |id: &str, date: &str, title: &str| {
        format!("BEGIN:VEVENT\r\nUID:{id}\r\nDTSTART;VALUE=DATE:{date}\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n")
    };
    let calendar = |events: &str| {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//X//EN\r\n{events}END:VCALENDAR\r\n")
    };
    let (a, b) = (event("a", "20040101", "A"), event("b", "20041301", "B"));
    let (c, d) = (event("c", "20050101", ""), event("old", "20050101", "Not what is there"));
    let ics = (calendar(&format!("{a}{b}{c}{d}")), calendar(&format!("{b}{c}{d}")));

    let slide = |id: &str, month: u8, title: &str| {
        format!(
            r#"{{"unique_id":"{id}","start_date":{{"year":2004,"month":{month}}},"text":{{"headline":"{title}"}}}}"#
        )
    };
    let (a, b, c, d) = (slide("a", 1, "A"), slide("b", 13, "B"), slide("c", 2, ""), slide("old", 3, "Not"));
    let json = (
        format!(r#"{{"title":{{}},"events":[{b},{a},{d}],"eras":[{c}]}}"#),
        format!("{{\"events\":[\n{b},\n{d}\n],\n\"eras\":[\n{c}\n]}}\n"),
    );
    let sheet = |rows: &str| format!("unique_id,Year,Month,Headline\r\n{rows}");
    let rows = "b,2004,13,B\r\nc,2004,2,\r\nold,2004,3,Not\r\n";
    let sheet = (sheet(&format!("a,2004,1,A\r\n{rows}")), sheet(rows));

    let (head, a) = ("---\ntitle: T\n---\n", "2004-01: A\nid: a\n\ntext\n\n");
    let (b, c, d) = ("2004-13: B\nid: b\n\n", "2004-02:\nid: c\n", "2004-03: Not\nid: old\n\nmore\n");
    let markwhen = (
        format!("{head}\n# One\n{a}{b}{c}\n## Two\n{d}"),
        format!("{head}# One\n{b}{c}\n# One\n## Two\n{d}"),
    );

    let row = |id: &str, month: u8, title: &str| {
        format!(
            "{{\"event_id\":\"{id}\",\"datetime\":\"2004-{month:02}-01T00:00:00\",\"timestamp_desc\":\"x\",\"message\":\"{title}\"}}\n"
        )
    };
    let (a, b, c, d) = (row("a", 1, "A"), row("b", 13, "B"), row("c", 2, ""), row("old", 3, "Not"));
    let rows = (format!("{a}{b}{c}{d}"), format!("{b}{c}{d}"));
    let months = ("13", "12");
    vec![
        (
            "x.ics",
            "ics",
            ics.0,
            ics.1,
            vec![("1301", "1201"), ("SUMMARY:\r", "SUMMARY:C\r"), ("UID:old", "UID:d")],
        ),
        (
            "x.json",
            "timelinejs",
            json.0,
            json.1,
            vec![months, (r#""headline":"""#, r#""headline":"C""#), ("old", "d")],
        ),
        ("x.csv", "timelinejs", sheet.0, sheet.1, vec![months, ("2,\r", "2,C\r"), ("old", "d")]),
        (
            "x.mw",
            "markwhen",
            markwhen.0,
            markwhen.1,
            vec![months, ("02:\n", "02: C\n"), ("id: old", "id: d")],
        ),
        (
            "x.jsonl",
            "timesketch",
            rows.0,
            rows.1,
            vec![months, (r#""message":"""#, r#""message":"C""#), ("old", "d")],
        ),
    ]
}

#[test]
fn entries_of_other_programs_are_put_aside_and_come_back_mended() {
    for (name, format, text, aside, mends) in others() {
        let sandbox = with_mixed();
        sandbox.write(name, &text);
        let run = |more: &[&str]| sandbox.run(&[&["import", "--from", format], more].concat());
        let dry = run(&[name, "--dry-run"]);
        assert_eq!(dry.code, 1, "{format}");
        assert_eq!(dry.stdout, "1 would be appended; nothing was written\n", "{format}\n{}", dry.stderr);
        assert_eq!(dry.stderr.matches("would be refused\n").count(), 3, "{format}\n{}", dry.stderr);
        let done = run(&[name, "--skip-bad", "aside"]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (0, "1 appended, 3 put aside\n"),
            "{format}\n{}",
            done.stderr
        );
        assert_eq!(done.stderr.matches(" is refused: ").count(), 3, "{format}\n{}", done.stderr);
        assert_eq!(read(&sandbox, "aside"), aside, "{format}");
        // As they are, they are refused again, and put aside as they are.
        let again = run(&["aside", "--skip-bad", "again"]);
        assert_eq!(again.stdout, "3 put aside\n", "{format}\n{}", again.stderr);
        assert_eq!(read(&sandbox, "again"), aside, "{format}");
        // Chunk by chunk the file is the same.
        run(&[name, "--chunk", "1", "--skip-bad", "chunks"]);
        assert_eq!(read(&sandbox, "chunks"), aside, "{format}");
        let mended = mends.iter().fold(aside, |text, (from, to)| text.replacen(from, to, 1));
        sandbox.write("mended", &mended);
        let done = run(&["mended"]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (0, "3 appended\n"),
            "{format}\n{mended}\n{}",
            done.stderr
        );
    }
}
