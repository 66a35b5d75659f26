//! Tokens of time-stamping authorities (RFC 3161): that a checkpoint was there at a time which somebody else vouches for.
//!
//! [`request`] is what is sent to an authority, [`check`] holds its answer against the checkpoint's bytes. The
//! signature is checked against the authority's own signing certificate, which the reader has to bring: no chain of
//! certificates is built and no revocation is looked up. `openssl ts -verify` does that with the same files.

use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{Any, BitString, Int, Null, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use rsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectKeyIdentifier};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};

use super::{Refusal, Step};

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// With SHA-256, SHA-384 and SHA-512.
const RSA_WITH: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"),
];
const ECDSA_WITH: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"),
];
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

#[derive(Sequence)]
struct Request {
    version: u8,
    imprint: Imprint,
    certificates: bool,
}

#[derive(Sequence)]
struct Imprint {
    algorithm: AlgorithmIdentifierOwned,
    hash: OctetString,
}

#[derive(Sequence)]
struct Response {
    status: Status,
    #[asn1(optional = "true")]
    token: Option<ContentInfo>,
}

#[derive(Sequence)]
struct Status {
    code: u8,
    #[asn1(optional = "true")]
    texts: Option<Vec<String>>,
    #[asn1(optional = "true")]
    failure: Option<BitString>,
}

/// What an authority signs. The time is read as text: it may have parts of seconds.
#[derive(Sequence)]
struct TstInfo {
    version: u8,
    policy: ObjectIdentifier,
    imprint: Imprint,
    serial: Int,
    time: Any,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    authority: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct Accuracy {
    #[asn1(optional = "true")]
    seconds: Option<u64>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    micros: Option<u16>,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// When the authority saw the bytes, by its own clock: `2026-03-01T09:00:00Z`.
    pub time: String,
    /// Whose certificate the signature was checked against; nothing where it was not.
    pub signed_by: Option<String>,
}

/// The request for a token over these bytes, as it is sent to an authority.
pub fn request(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let hash = OctetString::new(Sha256::digest(bytes).to_vec());
    let parameters = Some(Any::from(Null));
    let algorithm = AlgorithmIdentifierOwned { oid: SHA256, parameters };
    let imprint = hash.map(|hash| Imprint { algorithm, hash });
    let request = imprint.and_then(|imprint| Request { version: 1, imprint, certificates: true }.to_der());
    request.map_err(|e| refuse(format!("the request cannot be written: {e}")))
}

/// Reads certificates from PEM.
pub fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, Refusal> {
    let refuse = |what: String| Refusal::at(Step::Reading, format!("no certificate in PEM: {what}"));
    let read = Certificate::load_pem_chain(pem).map_err(|e| refuse(e.to_string()))?;
    if read.is_empty() { Err(refuse("there is none".to_owned())) } else { Ok(read) }
}

/// Checks that an authority's answer is about these bytes, and its signature if there are certificates.
pub fn check(answer: &[u8], bytes: &[u8], certificates: &[Certificate]) -> Result<Stamped, Refusal> {
    let unreadable = |e: der::Error| refuse(format!("not an answer of RFC 3161: {e}"));
    let Response { status, token } = Response::from_der(answer).map_err(unreadable)?;
    let token = token.filter(|_| status.code <= 1).ok_or_else(|| {
        let why = status.texts.unwrap_or_default().join("; ");
        refuse(format!("the authority refused, with status {}: {why}", status.code))
    })?;
    if token.content_type != SIGNED_DATA {
        return Err(refuse("the token is not signed"));
    }
    let signed: SignedData = token.content.decode_as().map_err(unreadable)?;
    let content = signed.encap_content_info.econtent.as_ref();
    let content = content.filter(|_| signed.encap_content_info.econtent_type == TST_INFO);
    let content = content.ok_or_else(|| refuse("what is signed is not a time stamp"))?;
    let content: OctetString = content.decode_as().map_err(unreadable)?;
    let info = TstInfo::from_der(content.as_bytes()).map_err(unreadable)?;
    let hash = digest(&info.imprint.algorithm.oid, bytes)?;
    if hash != info.imprint.hash.as_bytes() {
        return Err(refuse("the token is of other bytes than the checkpoint's"));
    }
    let time = time(&info.time)?;
    let signed_by = match certificates {
        [] => None,
        certificates => Some(check_signature(&signed, content.as_bytes(), &time, certificates)?),
    };
    Ok(Stamped { time, signed_by })
}

fn refuse(what: impl Into<String>) -> Refusal {
    Refusal::at(Step::Timestamp, what)
}

fn digest(algorithm: &ObjectIdentifier, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    match *algorithm {
        SHA256 => Ok(Sha256::digest(bytes).to_vec()),
        SHA384 => Ok(Sha384::digest(bytes).to_vec()),
        SHA512 => Ok(Sha512::digest(bytes).to_vec()),
        _ => Err(refuse(format!("the hash function {algorithm} is not known here"))),
    }
}

/// `20260301090000.5Z` as RFC 3339 writes it.
fn time(time: &Any) -> Result<String, Refusal> {
    let odd = || refuse("the token's time is not one of RFC 3161");
    let text = std::str::from_utf8(time.value()).ok().filter(|_| time.tag() == Tag::GeneralizedTime);
    let digits = text.and_then(|text| text.strip_suffix('Z')).ok_or_else(odd)?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !are_digits(whole) || !are_digits(part) {
        return Err(odd());
    }
    let (day, clock) = whole.split_at(8);
    let part = if digits.len() > 14 { format!(".{part}") } else { String::new() };
    Ok(format!(
        "{}-{}-{}T{}:{}:{}{part}Z",
        &day[..4],
        &day[4..6],
        &day[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    ))
}

/// Checks the signature with the certificate among these that the token names; gives whose it is.
fn check_signature(
    data: &SignedData,
    content: &[u8],
    time: &str,
    certificates: &[Certificate],
) -> Result<String, Refusal> {
    let unreadable = |e: der::Error| refuse(format!("the signature cannot be read: {e}"));
    let [signer] = data.signer_infos.0.as_slice() else {
        return Err(refuse("a token has one signature"));
    };
    let named = certificates.iter().find(|certificate| is_of(certificate, signer));
    let named = named.ok_or_else(|| {
        refuse("it was signed with another certificate than --tsa-cert has; the authority's own is needed")
    })?;
    let of = named.tbs_certificate();
    let usage = of.get_extension::<ExtendedKeyUsage>().map_err(unreadable)?;
    if !usage.is_some_and(|(_, usage)| usage.0.contains(&TIME_STAMPING)) {
        return Err(refuse("the certificate is not one for time stamps"));
    }
    let day = |time: x509_cert::time::Time| time.to_date_time().to_string();
    let (from, until) = (day(of.validity().not_before), day(of.validity().not_after));
    if time < &from[..19] || time[..19] > until[..19] {
        return Err(refuse(format!("its certificate was valid from {from} until {until}, not at {time}")));
    }
    let attributes = signer.signed_attrs.as_ref().ok_or_else(|| refuse("nothing says what is signed"))?;
    let one = |oid: ObjectIdentifier| {
        let found = attributes.iter().find(|attribute| attribute.oid == oid);
        found.filter(|found| found.values.len() == 1).and_then(|found| found.values.get(0))
    };
    let is_stamp = one(CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    let hash = one(MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetString>().ok());
    let ours = digest(&signer.digest_alg.oid, content)?;
    if is_stamp != Some(TST_INFO) || hash.is_none_or(|hash| hash.as_bytes() != ours) {
        return Err(refuse("the signature is over something else"));
    }
    let how = signer.signature_algorithm.oid;
    if !is_plain(&how, &of.subject_public_key_info().algorithm.oid, &signer.digest_alg.oid) {
        return Err(refuse(format!(
            "signatures of the kind {how} are not known here; `openssl ts -verify` may know them"
        )));
    }
    let message = attributes.to_der().map_err(unreadable)?;
    let hash = digest(&signer.digest_alg.oid, &message)?;
    verify(of.subject_public_key_info(), &signer.digest_alg.oid, &hash, signer.signature.as_bytes())?;
    Ok(of.subject().to_string())
}

/// Whether a kind of signature is that of this kind of key and hash function: RSA with PKCS #1 1.5, or ECDSA.
fn is_plain(how: &ObjectIdentifier, key: &ObjectIdentifier, digest: &ObjectIdentifier) -> bool {
    let number = match *digest {
        SHA256 => 0,
        SHA384 => 1,
        _ => 2,
    };
    match *key {
        RSA => *how == RSA || *how == RSA_WITH[number],
        EC => *how == ECDSA_WITH[number],
        _ => false,
    }
}

/// Whether a signature names this certificate.
fn is_of(certificate: &Certificate, signer: &SignerInfo) -> bool {
    let of = certificate.tbs_certificate();
    match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            named.issuer == *of.issuer() && named.serial_number == *of.serial_number()
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => of
            .get_extension::<SubjectKeyIdentifier>()
            .is_ok_and(|own| own.is_some_and(|(_, own)| own == *named)),
    }
}

fn verify(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &ObjectIdentifier,
    hash: &[u8],
    signature: &[u8],
) -> Result<(), Refusal> {
    let kind = key.algorithm.oid;
    let curve = key.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let der = key.to_der().map_err(|e| refuse(e.to_string()))?;
    let key = SubjectPublicKeyInfoRef::from_der(&der).map_err(|e| refuse(e.to_string()))?;
    let right = match (kind, curve, *algorithm) {
        (RSA, _, SHA256) => verify_rsa::<Sha256>(key, hash, signature),
        (RSA, _, SHA384) => verify_rsa::<Sha384>(key, hash, signature),
        (RSA, _, SHA512) => verify_rsa::<Sha512>(key, hash, signature),
        (EC, Some(P256), _) => p256::ecdsa::VerifyingKey::try_from(key).ok().and_then(|key| {
            key.verify_prehash(hash, &p256::ecdsa::Signature::from_der(signature).ok()?).ok()
        }),
        (EC, Some(P384), _) => p384::ecdsa::VerifyingKey::try_from(key).ok().and_then(|key| {
            key.verify_prehash(hash, &p384::ecdsa::Signature::from_der(signature).ok()?).ok()
        }),
        _ => return Err(refuse("keys of this kind are not known here; `openssl ts -verify` may know them")),
    };
    right.ok_or_else(|| refuse("the authority's signature is wrong"))
}

fn verify_rsa<D>(key: SubjectPublicKeyInfoRef<'_>, hash: &[u8], signature: &[u8]) -> Option<()>
where
    D: Digest + der::oid::AssociatedOid,
{
    let key = rsa::PublicKey::try_from(key).ok()?;
    let key = rsa::pkcs1v15::VerifyingKey::<D>::new(key);
    key.verify_prehash(hash, &rsa::pkcs1v15::Signature::try_from(signature).ok()?).ok()
}
