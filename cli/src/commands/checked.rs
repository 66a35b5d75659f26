//! What `verify --proof` says: a proof checked against what its reader trusts, without a store.

use std::io::Write as _;
use std::path::Path;

use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::document::{Proof, Shown, check_same};
use annals_core::proof::line::Leaf;
use annals_core::proof::note::VerifierKey;
use annals_core::proof::timestamp::{self, Stamped};
use annals_core::proof::{Refusal, Step};
use annals_core::{Hash, hex};
use serde_json::{Value, json};

use super::evidence;
use crate::error::{CliError, CliResult};
use crate::files::{self, refused};
use crate::session::Session;
use crate::ui::{self, counted, safe};

/// Bytes that a proof may have.
const PROOF: u64 = 1 << 30;

/// What the reader of a proof brings along.
#[derive(Debug)]
pub struct Trust {
    /// The checkpoint that they hold.
    pub checkpoint: Option<Checkpoint>,
    /// Whose signatures they take.
    pub keys: Vec<VerifierKey>,
    /// What the token of a time-stamping authority says, where one lies beside the checkpoint.
    pub stamped: Option<Stamped>,
}

impl Trust {
    /// Reads what was named on the command line.
    pub fn read(path: Option<&Path>, keys: &[String], tsa_cert: Option<&Path>) -> CliResult<Self> {
        let checkpoint = path.map(files::checkpoint).transpose()?;
        let keys = keys.iter().map(|key| files::public_key(key)).collect::<CliResult<_>>()?;
        let stamped = path.map(|path| stamped(path, tsa_cert)).transpose()?.flatten();
        Ok(Self { checkpoint, keys, stamped })
    }

    /// The time that an authority vouches for, in words.
    pub fn stamp(&self) -> Option<String> {
        let Stamped { time, signed_by } = self.stamped.as_ref()?;
        Some(match signed_by {
            Some(by) => format!("it was there at {time}, as {by} says"),
            None => format!("it was there at {time}, if its token is right"),
        })
    }

    /// Says what nobody checked.
    pub fn remark(&self, session: &Session) -> CliResult<()> {
        if self.checkpoint.is_some() && self.keys.is_empty() {
            ui::note(session, "whose checkpoint it is was not checked: --public-key does")?;
        }
        if self.stamped.as_ref().is_some_and(|stamped| stamped.signed_by.is_none()) {
            ui::note(session, "whose token it is was not checked: --tsa-cert does")?;
        }
        Ok(())
    }

    /// Whose signatures the checkpoint carries; nothing where no keys say whom to look for.
    pub fn signed_by(&self) -> CliResult<Option<Vec<String>>> {
        self.signers(self.checkpoint.as_slice())
    }

    /// The keys that signed each of these checkpoints, if there are keys.
    fn signers(&self, checkpoints: &[Checkpoint]) -> CliResult<Option<Vec<String>>> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let mut names: Vec<String> = Vec::new();
        for checkpoint in checkpoints {
            let signed = checkpoint.check(&self.keys).map_err(|refusal| {
                refused(&format!("the checkpoint of {} records", checkpoint.size()), &refusal)
            })?;
            names.extend(signed.into_iter().map(VerifierKey::short));
        }
        names.sort();
        names.dedup();
        Ok(Some(names))
    }
}

/// What the token beside a checkpoint says, checked against the certificates if there are any.
fn stamped(path: &Path, tsa_cert: Option<&Path>) -> CliResult<Option<Stamped>> {
    let token = files::token_of(path);
    if !token.exists() {
        return match tsa_cert {
            None => Ok(None),
            Some(_) => Err(CliError::failed(format!("there is no token {}", token.display()))
                .with_hint("`annals attest --timestamp FILE --checkpoint FILE` puts one there")),
        };
    }
    let certificates = match tsa_cert {
        None => Vec::new(),
        Some(pem) => timestamp::certificates(&files::read_small(pem)?)
            .map_err(|refusal| refused(&files::shown(pem), &refusal))?,
    };
    timestamp::check(&files::read_small(&token)?, &files::read_small(path)?, &certificates)
        .map(Some)
        .map_err(|refusal| refused(&files::shown(&token), &refusal))
}

/// Checks a proof, or evidence, and says what it shows.
pub fn proof(path: &Path, trust: &Trust, session: &Session) -> CliResult<()> {
    let name = files::shown(path);
    let refuse = |refusal: Refusal| refused(&name, &refusal);
    let proof = if path.is_dir() {
        evidence::read(path)?
    } else {
        let json = String::from_utf8(files::read(path, PROOF)?);
        let json = json.map_err(|_| refuse(Refusal::at(Step::Reading, "it is not UTF-8")))?;
        Proof::parse(&json).map_err(refuse)?
    };
    let shown = proof.check().map_err(refuse)?;
    let mut checkpoints = agreed(&shown, trust).map_err(refuse)?;
    checkpoints.extend(trust.checkpoint.clone());
    if checkpoints.is_empty() && !trust.keys.is_empty() {
        return Err(CliError::failed("there is no checkpoint whose signatures could be checked")
            .with_hint("name it with --checkpoint FILE"));
    }
    let signed_by = trust.signers(&checkpoints)?;
    match shown {
        Shown::Included { size, root, records, .. } => {
            tell_included(session, (size, &root), &records, &checkpoints, signed_by.as_deref())?;
        }
        Shown::Grown { from, to, .. } => tell_grown(session, from, to, signed_by.as_deref())?,
    }
    if checkpoints.is_empty() {
        return ui::note(
            session,
            "it was checked against its own root and size: --checkpoint names some that you trust",
        );
    }
    if trust.checkpoint.is_none() && signed_by.is_none() {
        ui::note(session, "whose checkpoint it is was not checked: --public-key does")?;
    }
    if let Some(stamp) = trust.stamp() {
        ui::note(session, &format!("the checkpoint has a token: {stamp}"))?;
    }
    trust.remark(session)
}

/// The checkpoints that came with a proof; the one that the reader holds has to be of what was proved, too.
fn agreed(shown: &Shown, trust: &Trust) -> Result<Vec<Checkpoint>, Refusal> {
    let (states, checkpoints) = match shown {
        Shown::Included { size, root, checkpoint, .. } => {
            ([(*size, root); 2], checkpoint.iter().cloned().collect())
        }
        Shown::Grown { from, to, checkpoints } => {
            ([(to.0, &to.1), (from.0, &from.1)], checkpoints.iter().flatten().cloned().collect())
        }
    };
    if let Some(held) = &trust.checkpoint {
        let (size, root) = states.iter().find(|(size, _)| *size == held.size()).unwrap_or(&states[0]);
        check_same(held, *size, root)?;
    }
    Ok(checkpoints)
}

fn tell_included(
    session: &Session,
    (size, root): (u64, &Hash),
    records: &[Leaf],
    checkpoints: &[Checkpoint],
    signed_by: Option<&[String]>,
) -> CliResult<()> {
    if !session.is_for_people() {
        let origin = checkpoints.first().map(Checkpoint::origin);
        let records: Vec<Value> = records.iter().map(record_json).collect();
        let answer = json!({
            "schema": "annals/verified/1", "kind": "inclusion", "tree_size": size, "root": hex(root),
            "records": records, "origin": origin, "signed_by": signed_by,
        });
        return ui::print_json(session, &answer);
    }
    let mut out = ui::out();
    for leaf in records {
        let Leaf { seq, op, timeline, id, recorded_at, recorded_by, .. } = leaf;
        let what = match (&leaf.title, leaf.redacted) {
            (_, true) => ": content redacted".to_owned(),
            (Some(title), _) => format!(": {}, {title}", leaf.date.as_deref().unwrap_or("undated")),
            (None, _) => String::new(),
        };
        let line = format!("record {seq} of {recorded_at} by {recorded_by}: {op} {timeline}/{id}{what}");
        writeln!(out, "{}", safe(&line).replace('\n', " "))?;
    }
    let records = counted(records.len() as u64, "record");
    writeln!(out, "{records} in the log of {size} with the root {}", hex(root))?;
    write_signers(&mut out, signed_by)?;
    Ok(out.flush()?)
}

fn record_json(leaf: &Leaf) -> Value {
    let Leaf { seq, recorded_at, recorded_by, op, timeline, id, title, date, redacted, .. } = leaf;
    json!({
        "seq": seq, "recorded_at": recorded_at, "recorded_by": recorded_by, "op": op, "timeline": timeline,
        "id": id, "title": title, "date": date, "redacted": redacted,
    })
}

fn tell_grown(
    session: &Session,
    from: (u64, Hash),
    to: (u64, Hash),
    signed_by: Option<&[String]>,
) -> CliResult<()> {
    let (earlier, later) = (hex(&from.1), hex(&to.1));
    if !session.is_for_people() {
        let state = |size: u64, root: &str| json!({ "tree_size": size, "root": root });
        let answer = json!({
            "schema": "annals/verified/1", "kind": "consistency", "from": state(from.0, &earlier),
            "to": state(to.0, &later), "signed_by": signed_by,
        });
        return ui::print_json(session, &answer);
    }
    let mut out = ui::out();
    writeln!(out, "the log of {} records with the root {later}", to.0)?;
    writeln!(out, "begins with all {} records of the root {earlier}", from.0)?;
    write_signers(&mut out, signed_by)?;
    Ok(out.flush()?)
}

fn write_signers(out: &mut impl std::io::Write, signed_by: Option<&[String]>) -> CliResult<()> {
    if let Some(by) = signed_by {
        writeln!(out, "{}", safe(&format!("signed by {}", by.join(" and "))))?;
    }
    Ok(())
}
