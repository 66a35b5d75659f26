//! Evidence, read by the real Python with the script that lies in it: whole it holds, and with anything altered the
//! script says what. The random logs take their number from `ANNALS_EVIDENCE_LOGS`; of the checkpoint and the key every
//! `ANNALS_EVIDENCE_STEP`th byte is altered.

use std::fs;
use std::path::Path;
use std::process::Command;

use annals_core::hex;
use annals_core::proof::document::Proof;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::attesting::{alter, leaves};
use crate::sandbox::{Sandbox, finish, has};

/// Runs the script of several folders in one Python, each from its start, and says how each ended.
const RUNNER: &str = "
import contextlib, io, json, runpy, sys
for folder, *args in map(json.loads, sys.stdin):
    out, sys.argv = io.StringIO(), ['verify.py', *args]
    with contextlib.redirect_stdout(out):
        try: code = runpy.run_path(folder + '/verify.py', run_name='__main__') and None
        except SystemExit as ended: code = int(ended.code)
    print(json.dumps([code, out.getvalue()]))
";

/// The exit code and the output of each script.
fn scripts(runs: &[Vec<String>]) -> Vec<(i64, String)> {
    let input: String = runs.iter().map(|run| serde_json::to_string(run).unwrap() + "\n").collect();
    let done = finish(Command::new("python3").args(["-I", "-c", RUNNER]), &input);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let told: Vec<(i64, String)> =
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), runs.len());
    told
}

/// A copy of evidence, whose files are those of the original until they are written anew.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() { copy(&from, &to) } else { fs::hard_link(from, to).unwrap() }
    }
}

fn write(folder: &Path, name: &str, content: &str) {
    let _ = fs::remove_file(folder.join(name));
    fs::write(folder.join(name), content).unwrap();
}

/// Writes a file into a copy of evidence and brings the sums up to date, as whoever altered it would.
fn forge(folder: &Path, name: &str, content: &str) {
    write(folder, name, content);
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let sum = |line: &str| match line.split_once("  ") {
        Some((_, named)) if named == name => format!("{}  {name}\n", sha256(content.as_bytes())),
        _ => format!("{line}\n"),
    };
    write(folder, "SHA256SUMS", &sums.lines().map(sum).collect::<String>());
}

fn sha256(content: &[u8]) -> String {
    let hash: [u8; 32] = Sha256::digest(content).into();
    hex(&hash)
}

/// A log with all that can be in one, and evidence of some of it.
fn store() -> Sandbox {
    let sandbox = Sandbox::with_store();
    let hash = "ab".repeat(32);
    let lines = format!(
        "{}\n{}\n{}\n{}\n",
        r#"{"id":"ship","date":"2004","title":"A ship “sinks” — \\ \"there\" 漢字","kind":"loss","description":"tab\tand line\nend","confidence":90,"extra":{"a":1.50,"a":1e300,"n":123456789012345678901234567890,"é":"\u00e9\ud83d\ude00"},"effects":[{"op":"increase","entity":"fleet","attribute":"ships","value":-1}]}"#,
        format_args!(
            r#"{{"id":"wreck","date":"2010~","title":"The wreck is found","sources":[{{"title":"Photograph","url":"https://example.org/1","quote":"there it lies","sha256":"{hash}"}}],"tags":["sea"]}}"#
        ),
        r#"{"id":"rumour","title":"A rumour"}"#,
        r#"{"id":"other","date":"2011","title":"Something else","kind":"else"}"#,
    );
    sandbox.ok_with(&["append", "-"], &lines);
    sandbox.ok(&["revise", "wreck", "--date", "2010-05~", "--title", "The wreck is found"]);
    sandbox.ok(&["retract", "ship", "--reason", "the \"ship\" was a boat"]);
    sandbox.ok(&["revise", "ship", "--title", "A boat sinks"]);
    sandbox.ok(&["attest", "--new-key", "desk.key", "--name", "example.org/sea"]);
    sandbox
}

#[test]
fn evidence_holds_for_python_and_for_annals_and_is_the_same_each_time() {
    if !has("python3") {
        return;
    }
    let sandbox = store();
    for folder in ["one", "two"] {
        let written = ["export", "--to", "evidence", "--key", "desk.key", "--until", "2010", "-o", folder];
        sandbox.ok(&written);
    }
    for entry in fs::read_dir(sandbox.path("one")).unwrap() {
        let name = entry.unwrap().file_name();
        let [one, two] = ["one", "two"].map(|folder| fs::read(sandbox.path(folder).join(&name)).unwrap());
        assert_eq!(one, two, "{}", name.display());
    }
    let script = fs::read_to_string(sandbox.path("one/verify.py")).unwrap();
    assert!(script.lines().count() < 100);
    let public = sandbox.ok(&["attest", "--key", "desk.key", "--show-public"]);
    let elsewhere = finish(
        Command::new("python3").arg(sandbox.path("one/verify.py")).arg(public.trim()).current_dir("/"),
        "",
    );
    assert_eq!(elsewhere.code, 0, "{}{}", elsewhere.stdout, elsewhere.stderr);
    insta::assert_snapshot!(elsewhere.stdout);
    let annals = sandbox.ok(&["verify", "--proof", "one", "--public-key", public.trim()]);
    for (theirs, ours) in
        elsewhere.stdout.lines().zip(annals.lines()).filter(|(line, _)| line.starts_with("record "))
    {
        assert_eq!(theirs.split(": ").next(), ours.split(": ").next());
    }
    // The standard tool says the same of the files.
    let sums =
        finish(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(sandbox.path("one")), "");
    assert_eq!(sums.code, 0, "{}", sums.stdout);
    // A stranger's key, of the same name.
    let stranger = sandbox.ok(&["attest", "--new-key", "s.key", "--name", "example.org/sea"]);
    let one = sandbox.path("one").to_str().unwrap().to_owned();
    let refused = &scripts(&[vec![one, stranger.trim().to_owned()]])[0];
    assert!(refused.0 == 1 && refused.1.contains("WRONG: signature: there is none of"), "{}", refused.1);
}

#[test]
fn an_evidence_of_nothing_or_over_something_is_not_written() {
    let sandbox = store();
    sandbox.write("file", "");
    insta::assert_snapshot!(sandbox.session(
        "
        export --to evidence
        export --to evidence --strict -o new
        export --to evidence --kind nothing -o new
        export --to evidence --key no.key -o new
        export --to evidence -o nowhere/new
        export --to evidence -o file
        export --to csv --key desk.key
        export --to evidence -o new
        export --to evidence -o new
        verify --proof new
        "
    ));
    let left: Vec<_> =
        fs::read_dir(sandbox.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".evidence")), "{left:?}");
}

/// Each value of each file, altered once, by somebody who brings the sums up to date.
#[test]
fn whatever_is_altered_is_named() {
    if !has("python3") {
        return;
    }
    let sandbox = store();
    sandbox.ok(&["export", "--to", "evidence", "--key", "desk.key", "--until", "2010", "-o", "good"]);
    let good = sandbox.path("good");
    let read = |name: &str| fs::read_to_string(good.join(name)).unwrap();
    let mut forged: Vec<(String, &str, String)> = Vec::new();
    let lines = read("events.jsonl");
    for (index, line) in lines.lines().enumerate() {
        for (place, other) in spoilt_line(line) {
            let with = |(n, kept): (usize, &str)| if n == index { other.clone() } else { kept.to_owned() };
            let all: Vec<String> = lines.lines().enumerate().map(with).collect();
            forged.push((format!("line {}{place}", index + 1), "events.jsonl", all.join("\n") + "\n"));
        }
    }
    let without: Vec<&str> = lines.lines().skip(1).collect();
    forged.push(("a line is missing".to_owned(), "events.jsonl", without.join("\n") + "\n"));
    let attachments = read("attachments.jsonl");
    let (attachment, others) = attachments.split_once('\n').unwrap();
    for (name, document, rest) in
        [("proofs.json", read("proofs.json").as_str(), ""), ("attachments.jsonl", attachment, others)]
    {
        let whole: Value = serde_json::from_str(document).unwrap();
        for pointer in leaves(&whole).into_iter().filter(|pointer| pointer != "/schema") {
            let mut other = whole.clone();
            alter(other.pointer_mut(&pointer).unwrap());
            forged.push((pointer, name, format!("{other}\n{rest}")));
        }
    }
    let step: usize = std::env::var("ANNALS_EVIDENCE_STEP").ok().and_then(|n| n.parse().ok()).unwrap_or(7);
    for name in ["checkpoint.txt", "public-key.txt"] {
        let text = read(name);
        for place in (0..text.len()).step_by(step).filter(|place| text.is_char_boundary(*place)) {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'0' { b'1' } else { b'0' };
            let Ok(other) = String::from_utf8(other) else { continue };
            // The last sign of Base 64 may have bits that are not used, which Python does not look at.
            if !text[place + 1..].starts_with('=') {
                forged.push((format!("byte {place}"), name, other));
            }
        }
    }
    let mut runs = Vec::new();
    for (index, (_, name, content)) in forged.iter().enumerate() {
        let folder = sandbox.path(&format!("forged-{index}"));
        copy(&good, &folder);
        forge(&folder, name, content);
        runs.push(vec![folder.to_str().unwrap().to_owned()]);
    }
    assert!(runs.len() > 100, "{}", runs.len());
    for ((code, told), (place, name, content)) in scripts(&runs).into_iter().zip(&forged) {
        assert_eq!(code, 1, "{name}, {place}:\n{content}\n{told}");
        assert!(told.contains("WRONG: ") && !told.contains("all of it holds"), "{name}, {place}: {told}");
        assert!(!told.contains("SHA256SUMS"), "the sums are right: {told}");
    }
    // And what only the sums cover.
    for name in ["README.html", "attachments.jsonl", "proofs.json", "events.jsonl", "checkpoint.txt"] {
        let folder = sandbox.path(&format!("spoilt-{name}"));
        copy(&good, &folder);
        write(&folder, name, &(read(name) + " "));
        let (code, told) = &scripts(&[vec![folder.to_str().unwrap().to_owned()]])[0];
        assert!(
            *code == 1 && told.contains(&format!("WRONG: {name}: it is not as it was written")),
            "{told}"
        );
    }
}

/// A record's line with each of its values altered once, with a field more, and with other white space.
fn spoilt_line(line: &str) -> Vec<(String, String)> {
    let whole: Value = serde_json::from_str(line).unwrap();
    let mut spoilt: Vec<(String, String)> = Vec::new();
    for pointer in leaves(&whole).into_iter().filter(|pointer| !pointer.starts_with("/extra")) {
        let value = whole.pointer(&pointer).unwrap();
        let mut other = value.clone();
        alter(&mut other);
        let (from, to) = (value.to_string(), other.to_string());
        let field = pointer.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap();
        let at = line.find(&format!("\"{field}\":")).unwrap();
        let at = at + line[at..].find(&from).unwrap_or_else(|| panic!("{pointer}: {from} in {line}"));
        spoilt.push((pointer, format!("{}{to}{}", &line[..at], &line[at + from.len()..])));
    }
    for (name, from, to) in [
        ("a field in front", "{", "{\"description\":\"more\","),
        ("a title in front", "{", "{\"title\":\"more\","),
        ("white space", ":", ": "),
        ("an exponent", "1e300", "1e301"),
        ("a number's end", "1.50", "1.5"),
    ] {
        if line.contains(from) {
            spoilt.push((format!(", {name}"), line.replacen(from, to, 1)));
        }
    }
    spoilt
}

/// Logs of random sizes: the script agrees with our roots and paths.
#[test]
fn the_script_agrees_on_logs_of_many_sizes() {
    if !has("python3") {
        return;
    }
    let logs: u64 = std::env::var("ANNALS_EVIDENCE_LOGS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let mut runs = Vec::new();
    let sandbox = Sandbox::new();
    sandbox.ok(&["attest", "--new-key", "desk.key"]);
    for log in 0..logs {
        // Sizes around the bounds of blocks, and others.
        let size = [1, 2, 257, 700, 256][usize::try_from(log % 5).unwrap()] + log / 5 * (37 + log % 11);
        let (store, folder) = (format!("store-{log}"), format!("evidence-{log}"));
        let event =
            |n: u64| format!("{{\"id\":\"e{n}\",\"title\":\"Event {n}\",\"kind\":\"k{}\"}}\n", n % 97);
        let lines: String = (0..size).map(event).collect();
        sandbox.ok(&["--store", &store, "init"]);
        sandbox.ok_with(&["--store", &store, "append", "-"], &lines);
        let last = format!("k{}", (size - 1) % 97);
        sandbox.ok(&[
            "--store", &store, "export", "--to", "evidence", "--kind", "k0", "--kind", &last, "--key",
            "desk.key", "-o", &folder,
        ]);
        runs.push(vec![sandbox.path(&folder).to_str().unwrap().to_owned()]);
    }
    for (code, told) in scripts(&runs) {
        assert!(code == 0 && told.ends_with("all of it holds\n"), "{told}");
    }
}

/// Evidence for a checkpoint that was published long ago: what the log held then, and nothing of later.
#[test]
fn evidence_is_made_for_an_earlier_checkpoint() {
    if !has("python3") {
        return;
    }
    let sandbox = store();
    let public = sandbox.ok(&["attest", "--key", "desk.key", "--show-public"]);
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "then.txt"]);
    sandbox.ok(&["attest", "--new-key", "witness.key", "--name", "witness"]);
    sandbox.ok(&["attest", "--key", "witness.key", "--cosign", "then.txt", "-o", "then.txt"]);
    sandbox.write("then.txt.tsr", "a token");
    sandbox.ok(&["revise", "rumour", "--title", "A rumour, spread"]);
    sandbox.ok(&["append", "--id", "late", "--title", "Came late"]);
    sandbox.ok(&["export", "--to", "evidence", "--at-checkpoint", "then.txt", "-o", "out"]);
    let read = |name: &str| fs::read_to_string(sandbox.path("out").join(name)).unwrap();
    assert_eq!(read("checkpoint.txt"), fs::read_to_string(sandbox.path("then.txt")).unwrap());
    assert_eq!(read("checkpoint.txt.tsr"), "a token");
    assert!(!read("events.jsonl").contains("late") && !read("events.jsonl").contains("spread"));
    let out = sandbox.path("out").to_str().unwrap().to_owned();
    let (code, told) = &scripts(&[vec![out, public.trim().to_owned()]])[0];
    assert!(*code == 0 && told.contains("signed by example.org/sea+"), "{told}");
    sandbox.ok(&["verify", "--proof", "out", "--public-key", public.trim()]);
    let forged = read("checkpoint.txt").replacen("\n7\n", "\n6\n", 1);
    sandbox.write("forged.txt", &forged);
    let done = sandbox.run(&["export", "--to", "evidence", "--at-checkpoint", "forged.txt", "-o", "other"]);
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(!sandbox.path("other").exists());
}

/// The content of one record is gone, and its proof stands, for Annals and for the script.
#[test]
fn a_redacted_record_is_proved_like_the_others() {
    if !has("python3") {
        return;
    }
    let sandbox = store();
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "before.txt"]);
    sandbox.ok(&["redact", "rumour", "--reason", "asked for"]);
    sandbox.ok(&["verify", "--checkpoint", "before.txt"]);
    sandbox.ok(&["prove", "rumour", "--at-checkpoint", "before.txt", "-o", "proof.json"]);
    let told = sandbox.ok(&["verify", "--proof", "proof.json"]);
    assert!(told.starts_with("record 3 of ") && told.contains("main/rumour: content redacted"), "{told}");

    // Evidence does not choose redacted events: its files are made of the proof.
    sandbox.ok(&[
        "export",
        "--to",
        "evidence",
        "--at-checkpoint",
        "before.txt",
        "--kind",
        "else",
        "-o",
        "out",
    ]);
    let folder = sandbox.path("out");
    let proof = Proof::parse(&fs::read_to_string(sandbox.path("proof.json")).unwrap()).unwrap();
    let Proof::Inclusion(proof) = proof else { panic!("another kind of proof") };
    let record = &proof.records[0];
    let paths = json!([{ "leaf_index": record.leaf_index, "path": record.path }]);
    let listing = json!({
        "schema": "annals/evidence/1", "tree_size": proof.tree_size, "root": proof.root, "paths": paths,
    });
    forge(&folder, "proofs.json", &listing.to_string());
    let run = vec![folder.to_str().unwrap().to_owned()];
    let altered: Vec<(bool, String)> = leaves(&serde_json::from_str(&record.line).unwrap())
        .into_iter()
        .map(|pointer| {
            let mut other: Value = serde_json::from_str(&record.line).unwrap();
            alter(other.pointer_mut(&pointer).unwrap());
            (false, other.to_string())
        })
        .chain([(true, record.line.clone()), (false, record.line.replacen('{', "{\"title\":\"x\",", 1))])
        .collect();
    for (holds, line) in altered {
        forge(&folder, "events.jsonl", &format!("{line}\n"));
        let (code, told) = &scripts(std::slice::from_ref(&run))[0];
        assert_eq!(*code == 0, holds, "{line}: {told}");
    }
}

#[test]
fn the_page_for_people_is_safe() {
    let sandbox = Sandbox::with_store();
    let hostile = "<script>alert(1)</script>\u{202e}\"' onload=x &amp;";
    let event = serde_json::json!({
        "id": "e", "title": hostile, "description": format!("{hostile} \u{1b}[31m"),
        "sources": [
            { "title": hostile, "url": "javascript:alert(1)", "quote": hostile, "locator": hostile },
            { "url": "https://example.org/\"onclick=\"x", "archived": "data:text/html,x", "sha256": "ab".repeat(32) },
        ],
    });
    sandbox.ok_with(&["append", "-"], &event.to_string());
    sandbox.ok(&["export", "--to", "evidence", "-o", "out"]);
    let page = fs::read_to_string(sandbox.path("out/README.html")).unwrap();
    assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\u{1b}'), "{page}");
    assert!(!page.contains("href=\"javascript") && !page.contains("href=\"data"), "{page}");
    assert_eq!(page.matches("href=").count(), 1);
    assert!(page.contains("href=\"https://example.org/&quot;onclick=&quot;x\""), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

/// What was attached goes along, under its hash; what is altered, missing or smuggled in is told by the script, by
/// `sha256sum` and by Annals, and what the store itself has lost is damage.
#[test]
fn attached_files_go_along_and_are_checked() {
    if !has("python3") {
        return;
    }
    let sandbox = store();
    sandbox.write("photo.jpg", "a photograph");
    sandbox.write("report.pdf", "a report");
    sandbox.write("other.txt", "of an event that is not chosen");
    let attached = ["--kind", "kept", "--attach", "photo.jpg", "--attach", "report.pdf"];
    sandbox.ok(&[&["append", "--id", "one", "--title", "One"][..], &attached].concat());
    sandbox.ok(&["append", "--id", "two", "--title", "Two", "--kind", "kept", "--attach", "photo.jpg"]);
    sandbox.ok(&["append", "--id", "no", "--title", "Not chosen", "--attach", "other.txt"]);
    let chosen = ["export", "--to", "evidence", "--kind", "kept", "-o"];
    let written = sandbox.run(&[&chosen[..], &["good"]].concat());
    assert!(written.stderr.starts_with("good: 2 records of 2 events, in a log of 10, with 2 attachments\n"));
    let [photo, report] = ["a photograph", "a report"].map(|content| sha256(content.as_bytes()));
    let good = sandbox.path("good");
    assert_eq!(fs::read_dir(good.join("attachments")).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(good.join("attachments").join(&photo)).unwrap(), "a photograph");
    let page = fs::read_to_string(good.join("README.html")).unwrap();
    assert!(page.contains(&format!("<a download=\"report.pdf\" href=\"attachments/{report}\">")), "{page}");
    let run = |folder: &Path| scripts(&[vec![folder.to_str().unwrap().to_owned()]]).pop().unwrap();
    let (code, told) = run(&good);
    assert!(code == 0 && told.matches(&format!("attachment {photo} of record ")).count() == 2, "{told}");
    assert!(told.contains(&format!("attachment {report} of record 8: here\n")), "{told}");
    sandbox.ok(&["verify", "--proof", "good"]);

    let sums = |folder: &Path| {
        finish(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(folder), "").code
    };
    assert_eq!(sums(&good), 0);
    let [altered, gone, hidden, smuggled] = ["altered", "gone", "hidden", "smuggled"].map(|name| {
        copy(&good, &sandbox.path(name));
        sandbox.path(name)
    });
    let file = format!("attachments/{photo}");
    // With sums that fit it is no less another file.
    forge(&altered, &file, "another photograph");
    fs::remove_file(gone.join(&file)).unwrap();
    write(&hidden, "attachments/stray", "more");
    write(&smuggled, &format!("attachments/{}", sha256(b"more")), "more");
    let more = format!("{}  attachments/{}\n", sha256(b"more"), sha256(b"more"));
    write(&smuggled, "SHA256SUMS", &(fs::read_to_string(smuggled.join("SHA256SUMS")).unwrap() + &more));
    for (folder, wrong) in [
        (&altered, format!("WRONG: {file}: no record names such a file")),
        (&gone, format!("WRONG: {file}: FileNotFoundError")),
        (&hidden, "WRONG: attachments/stray: no record names such a file".to_owned()),
        (&smuggled, format!("WRONG: attachments/{}: no record names such a file", sha256(b"more"))),
    ] {
        let (code, told) = run(folder);
        assert!(code == 1 && told.contains(&wrong), "{wrong}: {told}");
    }
    assert_ne!(sums(&gone), 0);
    for (folder, holds) in [("altered", false), ("hidden", false), ("gone", true)] {
        let done = sandbox.run(&["verify", "--proof", folder]);
        assert_eq!(done.code, if holds { 0 } else { 4 }, "{folder}: {}", done.stderr);
    }

    sandbox.ok(&[&chosen[..], &["bare", "--without-attachments"]].concat());
    assert!(!sandbox.path("bare/attachments").exists());
    let (code, told) = run(&sandbox.path("bare"));
    assert!(code == 0 && told.contains(&format!("attachment {photo} of record 8: not here\n")), "{told}");
    for damage in [Some("something else"), None] {
        let kept = sandbox.path(".annals/attachments").join(&photo);
        fs::remove_file(&kept).unwrap();
        if let Some(content) = damage {
            fs::write(&kept, content).unwrap();
        }
        let done = sandbox.run(&[&chosen[..], &["lost"]].concat());
        assert!(done.code == 4 && done.stderr.contains(&photo), "{}", done.stderr);
        assert!(done.stderr.contains("hint: --without-attachments") && !sandbox.path("lost").exists());
    }
}
