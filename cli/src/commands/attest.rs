//! `annals attest`: signs what the log holds, so that others can hold the log to it.

use std::path::{Path, PathBuf};

use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::note::{SigningKey, VerifierKey};
use annals_core::proof::timestamp;
use annals_core::{Hash, Host, Log, SledLog, Store, hex, scan};
use annals_model::{KnownAt, Seq};
use serde_json::json;

use crate::error::{CliError, CliResult};
use crate::files;
use crate::session::Session;
use crate::ui::{self, counted, safe};

/// Sign what the log holds, so that others can hold it to that
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "A checkpoint says how many records the log has and what their root is: a signed note as other
transparency logs write it (C2SP tlog-checkpoint, Ed25519). Whoever keeps one can prove later
that nothing before it was changed or taken out: publish it, or send it to somebody.

With --output over an earlier checkpoint the log is first held against that one.

Examples:
  annals attest --new-key desk.key --name example.org/haiti > desk.pub
  annals attest --key desk.key -o checkpoint.txt
  annals attest --key witness.key --cosign checkpoint.txt -o checkpoint.txt
  annals attest --timestamp-request checkpoint.txt -o request.tsq
  annals attest --timestamp answer.tsr --checkpoint checkpoint.txt
  annals verify --checkpoint checkpoint.txt --public-key desk.pub"
)]
pub struct Args {
    /// Make a key, in a file that only you can read, and print its public half
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    new_key: Option<PathBuf>,
    /// What the new key is called, and the log with it [default: a random name]
    #[arg(long, value_name = "N", requires = "new_key")]
    name: Option<String>,
    /// Sign with this key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Sign what the log held then: a date, an instant, or a position @17 [default: all of it]
    #[arg(long, value_name = "K", allow_hyphen_values = true, requires = "key")]
    known_at: Option<String>,
    /// Sign this checkpoint, too, if the log contains all of it
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "known_at")]
    cosign: Option<PathBuf>,
    /// Print the public half of the key, and sign nothing
    #[arg(long, requires = "key", conflicts_with_all = ["known_at", "cosign", "output"])]
    show_public: bool,
    /// Write what a time-stamping authority (RFC 3161) is sent for a token over this checkpoint
    #[arg(long, value_name = "CHECKPOINT", requires = "output", conflicts_with_all = ["key", "new_key"])]
    timestamp_request: Option<PathBuf>,
    /// Keep the authority's answer beside the checkpoint, as CHECKPOINT.tsr, if it is about it
    #[arg(long, value_name = "FILE", requires = "checkpoint", conflicts_with_all = ["key", "new_key", "output"])]
    timestamp: Option<PathBuf>,
    /// The checkpoint that the answer is about
    #[arg(long, value_name = "FILE", requires = "timestamp")]
    checkpoint: Option<PathBuf>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE", conflicts_with = "new_key")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args, session: &Session) -> CliResult<()> {
    if let Some(path) = &args.new_key {
        return new_key(path, args.name.as_deref(), session);
    }
    if let Some(path) = &args.timestamp_request {
        return request_stamp(path, args.output.as_deref(), session);
    }
    if let Some((answer, path)) = args.timestamp.as_deref().zip(args.checkpoint.as_deref()) {
        return keep_stamp(answer, path, session);
    }
    let Some(path) = &args.key else {
        return Err(CliError::usage("a key is needed to sign with: --key FILE")
            .with_hint("make one with `annals attest --new-key FILE`"));
    };
    let key = files::signing_key(path)?;
    if args.show_public {
        return print_public(session, key.public());
    }
    let store = session.open()?;
    let mut checkpoint = match &args.cosign {
        Some(path) => {
            let checkpoint = files::checkpoint(path)?;
            require(&store, &checkpoint, &files::shown(path))?;
            checkpoint
        }
        None => of_log(&store, key.public().name(), known_at(args, session)?)?,
    };
    if let Some(path) = files::output(args.output.as_deref()).filter(|path| path.exists()) {
        let earlier = files::checkpoint(path)
            .map_err(|error| error.with_hint("it is not written over: name another file"))?;
        may_replace(&store, &earlier, &checkpoint, path)?;
    }
    drop(store);
    checkpoint.sign(&key);
    tell(args, session, &checkpoint, &key)
}

fn new_key(path: &Path, name: Option<&str>, session: &Session) -> CliResult<()> {
    let name = name.map_or_else(
        || {
            let mut random = [0; 8];
            session.host().fill_random(&mut random);
            format!("annals/{}", hex(&random))
        },
        str::to_owned,
    );
    if safe(&name) != name {
        return Err(CliError::usage("--name: it has characters that nobody can see"));
    }
    let key =
        SigningKey::new(&name, session.host()).map_err(|invalid| CliError::argument("--name", &invalid))?;
    files::write_key(path, &key)?;
    ui::note(session, &format!("{} signs for you: nobody else may have it", path.display()))?;
    print_public(session, key.public())
}

fn print_public(session: &Session, key: &VerifierKey) -> CliResult<()> {
    if session.is_for_people() {
        return ui::print_line(&key.to_string());
    }
    ui::print_json(session, &json!({ "name": key.name(), "public_key": key.to_string() }))
}

fn request_stamp(path: &Path, output: Option<&Path>, session: &Session) -> CliResult<()> {
    files::checkpoint(path)?;
    let Some(output) = output else { return Err(CliError::usage("--timestamp-request needs --output")) };
    let request = timestamp::request(&files::read_small(path)?);
    let request = request.map_err(|refusal| files::refused(&files::shown(path), &refusal))?;
    files::replace(output, &request)?;
    ui::note(
        session,
        &format!(
            "send {} to a time-stamping authority: `curl --data-binary @{} -H 'Content-Type: \
             application/timestamp-query' ADDRESS -o answer.tsr`",
            output.display(),
            output.display()
        ),
    )
}

fn keep_stamp(answer: &Path, path: &Path, session: &Session) -> CliResult<()> {
    files::checkpoint(path)?;
    let token = files::read_small(answer)?;
    let stamped = timestamp::check(&token, &files::read_small(path)?, &[])
        .map_err(|refusal| files::refused(&files::shown(answer), &refusal))?;
    let kept = files::token_of(path);
    files::replace(&kept, &token)?;
    if session.is_for_people() {
        return ui::print_line(&format!("{}: stamped at {}", kept.display(), stamped.time));
    }
    ui::print_json(session, &json!({ "file": files::shown(&kept), "time": stamped.time }))
}

fn known_at(args: &Args, session: &Session) -> CliResult<KnownAt> {
    let Some(text) = &args.known_at else { return Ok(KnownAt::Everything) };
    KnownAt::parse(text, session.today()).map_err(|e| CliError::argument("--known-at", &e))
}

/// The checkpoint of the log as it was at a moment, signed by nobody yet.
pub fn of_log(store: &Store<SledLog>, origin: &str, known_at: KnownAt) -> CliResult<Checkpoint> {
    let seq = store.position(known_at)?.seq;
    Ok(Checkpoint::unsigned(origin, seq.0, scan::root_at(store.log(), seq)?)?)
}

/// Makes sure that the log contains all that a checkpoint has seen.
pub fn require(store: &Store<SledLog>, checkpoint: &Checkpoint, what: &str) -> CliResult<()> {
    let end = store.log().head()?.seq();
    let size = Seq(checkpoint.size());
    let refuse = |cause: String| {
        Err(CliError::damaged(cause)
            .because_of(format!("the log does not contain what {what} has seen"))
            .with_hint("`annals verify --checkpoint FILE` says more; is it of this log?"))
    };
    if size > end {
        return refuse(format!("records {} to {size} are missing: the log ends at {end}", end.next()));
    }
    let root: Hash = scan::root_at(store.log(), size)?;
    if root != *checkpoint.root() {
        return refuse(format!("records 1 to {size} have another root: {}", hex(&root)));
    }
    Ok(())
}

/// A checkpoint takes the place of an earlier one of the same log only, and never of a later one.
fn may_replace(
    store: &Store<SledLog>,
    earlier: &Checkpoint,
    later: &Checkpoint,
    path: &Path,
) -> CliResult<()> {
    let keep =
        |why: &str| Err(CliError::failed(format!("{} {why}", path.display())).with_hint("name another file"));
    if earlier.origin() != later.origin() {
        return keep(&format!("is a checkpoint of {}, not of {}", earlier.origin(), later.origin()));
    }
    if earlier.size() > later.size() {
        return keep("is a checkpoint of more records");
    }
    require(store, earlier, &files::shown(path))
}

fn tell(args: &Args, session: &Session, checkpoint: &Checkpoint, key: &SigningKey) -> CliResult<()> {
    let text = checkpoint.to_string();
    let output = files::output(args.output.as_deref());
    if let Some(path) = output {
        files::replace(path, text.as_bytes())?;
    }
    if !session.is_for_people() {
        let answer = json!({
            "schema": "annals/checkpoint/1", "origin": checkpoint.origin(), "tree_size": checkpoint.size(),
            "root": hex(checkpoint.root()), "public_key": key.public().to_string(), "checkpoint": text,
        });
        return ui::print_json(session, &answer);
    }
    if let Some(path) = output {
        let records = counted(checkpoint.size(), "record");
        let root = hex(checkpoint.root());
        return ui::print_line(&format!(
            "{}: {records}, root {root}, signed by {}",
            path.display(),
            key.public().short()
        ));
    }
    if safe(&text) != text {
        return Err(CliError::failed("the checkpoint has characters that nobody can see")
            .with_hint("write it to a file with --output"));
    }
    ui::print_text(&text)
}
