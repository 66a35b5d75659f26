//! Signed notes (C2SP `signed-note`) with Ed25519 keys: a text, a blank line, and a line for each signature.
//!
//! Keys are written as Go's `golang.org/x/mod/sumdb/note` writes them, so that other tools read ours and we
//! theirs. Signatures by keys that are not known are kept and ignored. One that is of a known key has to be right.
//!
//! Randomness comes from the [`Host`]; a private key's bytes are wiped when it is dropped.

use std::fmt;
use std::str::FromStr;

use annals_model::Invalid;
use base64ct::{Base64, Encoding};
use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};

use super::{Refusal, Step};
use crate::host::Host;

/// Ed25519, in the list of signature types.
const ED25519: u8 = 1;
/// What begins a private key.
const PRIVATE: &str = "PRIVATE+KEY+";
/// What begins a signature line.
pub(super) const DASH: &str = "\u{2014} ";
/// Bytes that a note may have, and signatures: more than any log or its witnesses need.
const MOST_BYTES: usize = 1 << 20;
const MOST_SIGNATURES: usize = 100;

/// A text with signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature under a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

/// The public half of a key, `NAME+ID+KEY`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

/// A key that signs, `PRIVATE+KEY+NAME+ID+KEY`.
pub struct SigningKey {
    public: VerifierKey,
    key: ed25519_dalek::SigningKey,
}

impl Note {
    /// A note over a text, which ends with a line end, signed by nobody yet.
    pub const fn unsigned(text: String) -> Self {
        Self { text, signatures: Vec::new() }
    }

    /// Reads a note; it has at least one signature.
    pub fn parse(note: &str) -> Result<Self, Refusal> {
        let refuse = |what: &str| Refusal::at(Step::Reading, what);
        if note.len() > MOST_BYTES {
            return Err(refuse("a signed note is not that long"));
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(refuse("a signed note has no control characters but line ends"));
        }
        let end = note.rfind("\n\n").ok_or_else(|| refuse("no blank line, and no signatures behind it"))?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines =
            lines.strip_suffix('\n').ok_or_else(|| refuse("no line end behind the last signature"))?;
        if lines.split('\n').count() > MOST_SIGNATURES {
            return Err(refuse("more signatures than a note may have"));
        }
        let signatures = lines.split('\n').map(Signature::parse).collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or_else(|| refuse("a line that is no signature"))?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// What is signed, line ends included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, of known and unknown keys.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature; a key signs once.
    pub fn sign(&mut self, key: &SigningKey) {
        let bytes = key.key.sign(self.text.as_bytes()).to_bytes().to_vec();
        let signature = Signature { name: key.public.name.clone(), id: key.public.id, bytes };
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    /// Checks the signatures of these keys and gives the keys that signed. One wrong signature of a known key, or
    /// no signature of any, is a refusal.
    pub fn check<'a>(&self, keys: &'a [VerifierKey]) -> Result<Vec<&'a VerifierKey>, Refusal> {
        let mut signed = Vec::new();
        for signature in &self.signatures {
            let known = keys.iter().find(|key| key.name == signature.name && key.id == signature.id);
            let Some(key) = known else { continue };
            let bytes = ed25519_dalek::Signature::from_slice(&signature.bytes);
            let right = bytes.and_then(|bytes| key.key.verify_strict(self.text.as_bytes(), &bytes));
            if right.is_err() {
                return Err(Refusal::at(Step::Signature, format!("the one of {key} is wrong")));
            }
            if !signed.contains(&key) {
                signed.push(key);
            }
        }
        if signed.is_empty() {
            let by: Vec<String> =
                self.signatures.iter().map(|s| format!("{}+{:08x}", s.name, s.id)).collect();
            let by = if by.is_empty() { "nobody".to_owned() } else { by.join(", ") };
            return Err(Refusal::at(
                Step::Signature,
                format!("none is of a key that was given; signed by {by}"),
            ));
        }
        Ok(signed)
    }
}

/// The note as it is stored; without signatures the text alone.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if !self.signatures.is_empty() {
            f.write_str("\n")?;
        }
        for Signature { name, id, bytes } in &self.signatures {
            let stored = [&id.to_be_bytes()[..], bytes].concat();
            writeln!(f, "{DASH}{name} {}", Base64::encode_string(&stored))?;
        }
        Ok(())
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, stored) = line.strip_prefix(DASH)?.split_once(' ')?;
        let stored = Base64::decode_vec(stored).ok().filter(|_| is_name(name))?;
        let (id, bytes) = stored.split_first_chunk::<4>().filter(|(_, bytes)| !bytes.is_empty())?;
        Some(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }

    /// The name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl VerifierKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Self {
        Self { name: name.to_owned(), id: key_id(name, &tagged(key.as_bytes())), key }
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name and number, by which signatures name the key.
    pub fn short(&self) -> String {
        format!("{}+{:08x}", self.name, self.id)
    }
}

impl FromStr for VerifierKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refuse = |what: &str| {
            Err(Invalid::new(what).with_hint("as `annals attest --new-key` prints it: NAME+ID+KEY"))
        };
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return refuse("not a public key");
        };
        if text.starts_with(PRIVATE) {
            return refuse("that is a private key; it is not for others to see");
        }
        let Some(bytes) = key_bytes(key).filter(|_| is_name(name)) else {
            return refuse("not a public key of the kind Ed25519");
        };
        let Some(key) = ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())
        else {
            return refuse("not an Ed25519 key");
        };
        let key = Self::new(name, key);
        if format!("{:08x}", key.id) == id {
            Ok(key)
        } else {
            refuse("the key's name, id and bytes do not go together")
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Base64::encode_string(&tagged(self.key.as_bytes()));
        write!(f, "{}+{:08x}+{key}", self.name, self.id)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SigningKey {
    /// A new key of this name.
    pub fn new(name: &str, host: &dyn Host) -> Result<Self, Invalid> {
        if !is_name(name) {
            return Err(Invalid::new("a key's name has no spaces, no `+` and no control characters")
                .with_hint("names look like addresses: `example.org/haiti`"));
        }
        let mut seed = [0; 32];
        host.fill_random(&mut seed);
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        seed.fill(0);
        Ok(Self { public: VerifierKey::new(name, key.verifying_key()), key })
    }

    /// Reads a key as it is stored.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse =
            |what: &str| Err(Invalid::new(what).with_hint("make one with `annals attest --new-key FILE`"));
        let parts = text.trim().strip_prefix(PRIVATE).map(|rest| rest.splitn(3, '+').collect::<Vec<_>>());
        let Some([name, id, key]) = parts.as_deref() else { return refuse("not a private key") };
        let Some(seed) = key_bytes(key).filter(|_| is_name(name)) else {
            return refuse("not a private key of the kind Ed25519");
        };
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let public = VerifierKey::new(name, key.verifying_key());
        if format!("{:08x}", public.id) != *id {
            return refuse("the private key's name, id and bytes do not go together");
        }
        Ok(Self { public, key })
    }

    /// The key as it is stored: who has this text can sign.
    pub fn secret_text(&self) -> String {
        let VerifierKey { name, id, .. } = &self.public;
        format!("{PRIVATE}{name}+{id:08x}+{}\n", Base64::encode_string(&tagged(self.key.as_bytes())))
    }

    /// Its public half.
    pub const fn public(&self) -> &VerifierKey {
        &self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the private key of {}", self.public)
    }
}

/// Whether keys may have this name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// The number by which signatures name a key, beside its name.
fn key_id(name: &str, tagged: &[u8]) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update(b"\n").chain_update(tagged).finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

fn tagged(bytes: &[u8; 32]) -> [u8; 33] {
    let mut tagged = [ED25519; 33];
    tagged[1..].copy_from_slice(bytes);
    tagged
}

fn key_bytes(base64: &str) -> Option<[u8; 32]> {
    match Base64::decode_vec(base64).ok()?.split_first()? {
        (&ED25519, bytes) => bytes.try_into().ok(),
        _ => None,
    }
}
