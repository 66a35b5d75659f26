//! Broken and hostile files: each fault with its line, and never a panic or an endless line in memory.

use std::io::{self, BufReader, Read};

use annals_formats::{ColumnMap, ImportFormat, ImportOptions, read};
use proptest::prelude::*;

use crate::sample::outcomes;

fn check(format: ImportFormat, bytes: &[u8], expect: &[&str]) {
    assert_eq!(outcomes(format, bytes, ImportOptions::default()), expect);
}

#[test]
fn json_lines_are_read_around_what_is_wrong() {
    check(
        ImportFormat::Jsonl,
        b"\xef\xbb\xbf{\"title\":\"a\",\"date\":\"2004\"}\r\n\n  \n{\"title\":\"b\",\"dat\":\"2004\"}\n{\"title\":\"\xff\"}\n{\"title\":\"c\"",
        &[
            "1: a at 2004",
            "4: unknown field `dat` (did you mean `date`?)",
            "5: is not UTF-8 at byte 11 (save the file as UTF-8)",
            "6: EOF while parsing an object at column 12",
        ],
    );
    check(ImportFormat::Jsonl, b"{\"title\":\"no line end\"}", &["1: no line end at undated"]);
    check(ImportFormat::Jsonl, b"", &[]);
    check(ImportFormat::Jsonl, b"\xff\xfe{\0", &["1: the file is UTF-16 (save it as UTF-8)"]);
}

#[test]
fn tables_are_read_around_what_is_wrong() {
    check(
        ImportFormat::Csv,
        b"\xef\xbb\xbftitle,date,confidence\r\na,2004,\r\nb\r\n\"c\nd\",2005,\r\n\"e\"f,2006,\r\ng,2007,x\r\nh\xff,2007,\r\ni,,\r\n",
        &[
            "2: a at 2004",
            "3: the row has 1 cells, the header has 3 (a cell with a comma, a tab or a line end in it stands in quotes)",
            "4: c\nd at 2005",
            "6: cell 1 goes on behind its closing quote (a quote within quotes is written twice)",
            "7: confidence: `x` is not a percentage from 0 to 100",
            "8: cell 1: is not UTF-8 at byte 2 (save the file as UTF-8)",
            "9: i at undated",
        ],
    );
    check(ImportFormat::Csv, b"", &["1: the file is empty (the first row names the columns)"]);
    check(
        ImportFormat::Tsv,
        b"a\tb\n",
        &["1: the file has no column `title` (say which one it is: --map title=COLUMN)"],
    );
}

#[test]
fn a_column_map_is_refused_where_it_cannot_be_used() {
    let map = ColumnMap::parse(["title=A"]).unwrap();
    let options = ImportOptions { map: Some(&map), raw: false };
    let found = outcomes(ImportFormat::Jsonl, b"{\"title\":\"a\"}", options);
    assert_eq!(found, ["1: a column map goes with a table (read the file as csv or tsv)"]);
}

#[test]
fn a_line_without_an_end_is_refused_and_the_next_one_read() {
    let line = |byte| io::repeat(byte).take(30_000_000);
    let jsonl = line(b'x').chain(&b"\n{\"title\":\"next\"}"[..]);
    let found: Vec<_> =
        read(ImportFormat::Jsonl, Box::new(BufReader::new(jsonl)), ImportOptions::default()).collect();
    assert_eq!(found.len(), 2);
    let refused = found[0].outcome.as_ref().unwrap_err().to_string();
    assert_eq!(refused, "the line has 30000000 bytes, the limit is 1056768");
    assert_eq!((found[1].line, found[1].outcome.is_ok()), (2, true));

    let csv = (&b"title\n"[..]).chain(line(b'x')).chain(&b"\nnext"[..]);
    let found: Vec<_> =
        read(ImportFormat::Csv, Box::new(BufReader::new(csv)), ImportOptions::default()).collect();
    let refused = found[0].outcome.as_ref().unwrap_err().to_string();
    assert_eq!(refused, "the row has more than 2097152 bytes");
    assert_eq!((found[1].line, found[1].outcome.is_ok()), (3, true));
}

#[test]
fn a_file_that_stops_being_readable_ends_the_reading() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk on fire"))
        }
    }
    for (format, head) in
        [(ImportFormat::Jsonl, &b"{\"title\":\"a\"}\n"[..]), (ImportFormat::Csv, &b"title\na\n"[..])]
    {
        let input = BufReader::new(head.chain(Broken));
        let found: Vec<_> = read(format, Box::new(input), ImportOptions::default()).collect();
        assert_eq!(found.len(), 2, "{format}");
        assert!(matches!(found[1].outcome, Err(annals_formats::Fault::Io(_))), "{format}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), table in "[a\",;\t\r\n{}'= é]{0,80}") {
        for format in ImportFormat::ALL {
            let _ = outcomes(*format, &bytes, ImportOptions::default());
            let text = format!("title,date,effects,extra\n{table}");
            let _ = outcomes(*format, text.as_bytes(), ImportOptions::default());
        }
    }

    #[test]
    fn no_rule_makes_a_map_panic(rule in "[a-z:={}. ]{0,30}", file in "[a-z\\[\\]=\"\n{}.]{0,60}") {
        let _ = ColumnMap::parse([rule.as_str()]);
        let _ = ColumnMap::from_toml(&file);
        let _ = ColumnMap::from_toml(&format!("[map]\n{file}"));
    }
}
