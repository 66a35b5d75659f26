//! Broken and hostile files: each fault with its line, and never a panic or an endless line in memory.

use std::io::{self, BufReader, Read};
use std::num::NonZeroUsize;

use annals_formats::{ColumnMap, ImportFormat, ImportOptions, read, read_ahead};
use proptest::prelude::*;

use crate::sample::{outcomes, shown};

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
    for (format, header, parted) in [
        (ImportFormat::Csv, "title;date\nA;2004\n", "semicolons (save it with commas between the cells)"),
        (ImportFormat::Csv, "title\tdate\nA\t2004\n", "tabs (read it with --from tsv)"),
        (ImportFormat::Tsv, "title,date\nA,2004\n", "commas (read it with --from csv)"),
    ] {
        check(format, header.as_bytes(), &[&format!("1: the cells of the file are parted by {parted}")]);
    }
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// However many threads read a file, and however it comes in pieces, its entries are those of one reader.
    #[test]
    fn several_threads_read_what_one_reads(
        lines in proptest::collection::vec(0_u8..8, 0..3000),
        threads in 1_usize..5,
        buffer in 1_usize..5000,
        ends in any::<bool>(),
    ) {
        let line = |(index, kind): (usize, &u8)| match kind {
            0 => b"".to_vec(),
            1 => b"{\"title\":\"\xff\"}".to_vec(),
            2 => b"{\"titel\":\"a\"}".to_vec(),
            3 => b" \r".to_vec(),
            _ => format!("{{\"title\":\"number {index}\",\"date\":\"2004\"}}").into_bytes(),
        };
        let mut bytes = lines.iter().enumerate().map(line).collect::<Vec<_>>().join(&b'\n');
        if ends {
            bytes.push(b'\n');
        }
        let expect = outcomes(ImportFormat::Jsonl, &bytes, ImportOptions::default());
        let found = std::thread::scope(|scope| {
            let input = Box::new(BufReader::with_capacity(buffer, &*bytes));
            let threads = NonZeroUsize::new(threads).unwrap();
            let reader =
                read_ahead(scope, threads, ImportFormat::Jsonl, input, ImportOptions::default());
            reader.map(shown).collect::<Vec<_>>()
        });
        prop_assert_eq!(found, expect);
    }
}

#[test]
fn a_reader_that_is_dropped_ends_its_threads() {
    let line = b"{\"title\":\"a\"}\n".repeat(100_000);
    let read = std::thread::scope(|scope| {
        let threads = NonZeroUsize::new(3).unwrap();
        let input = Box::new(BufReader::new(&*line));
        read_ahead(scope, threads, ImportFormat::Jsonl, input, ImportOptions::default()).take(10).count()
    });
    assert_eq!(read, 10);
}

/// A reader that looked through the rest of a file for each of its signs would be busy for hours.
#[test]
fn a_long_line_of_one_sign_takes_no_time() {
    let formats =
        [ImportFormat::Ics, ImportFormat::TimelineJs, ImportFormat::Markwhen, ImportFormat::Timesketch];
    for sign in ["-", "<", "<a", "&", "#", " #a", ":", "/", "\\", ",", " to ", "]("] {
        let long = sign.repeat(100_000 / sign.len());
        let quoted = serde_json::to_string(&long).unwrap();
        let files = [
            format!("2004: {long}\n{long}: x\n{long}\n"),
            format!(
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a\nCATEGORIES:{long}\nDESCRIPTION:{long}\nEND:VEVENT\n"
            ),
            format!("{{\"events\":[{{\"text\":{{\"headline\":\"a\",\"text\":{quoted}}}}}]}}"),
            format!(
                "{{\"message\":\"a\",\"datetime\":\"2004-01-01\",\"timestamp_desc\":\"d\",\"tag\":{quoted}}}"
            ),
            format!("message,tag,datetime\na,{long},2004\n"),
        ];
        for (format, file) in formats.iter().flat_map(|format| files.iter().map(move |file| (format, file))) {
            outcomes(*format, file.as_bytes(), ImportOptions::default());
        }
    }
}

/// A file that breaks off in its midst.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = b"{\"title\":\"a\"}\n";
        self.0 = self.0.checked_sub(1).ok_or_else(|| io::Error::other("the disk is gone"))?;
        buffer[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

#[test]
fn a_file_that_breaks_off_says_so_behind_its_last_line() {
    let found = std::thread::scope(|scope| {
        let threads = NonZeroUsize::new(2).unwrap();
        let input = Box::new(BufReader::new(Broken(5000)));
        let reader = read_ahead(scope, threads, ImportFormat::Jsonl, input, ImportOptions::default());
        reader.map(shown).collect::<Vec<_>>()
    });
    assert_eq!(found.len(), 5001);
    assert_eq!(found[4999..], ["5000: a at undated", "5000: cannot read the file"]);
}
