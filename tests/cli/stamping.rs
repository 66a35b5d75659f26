//! Tokens of a time-stamping authority, made by the real OpenSSL as a local authority, and read by it, too.

use std::fs;
use std::process::Command;

use crate::sandbox::{Done, Sandbox, finish, has};

const CONFIG: &str = "
[tsa]
default_tsa = here
[here]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_digest = sha256
accuracy = secs:1, millisecs:500
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
clock_precision_digits = 3
[req]
distinguished_name = name
prompt = no
[name]
CN = Test Authority
[stamps]
extendedKeyUsage = critical, timeStamping
[web]
extendedKeyUsage = serverAuth
";

/// A sandbox with a signed checkpoint, and OpenSSL in it.
struct Authority(Sandbox);

impl Authority {
    fn new() -> Self {
        let sandbox = Sandbox::with_store();
        sandbox.ok(&["append", "--id", "a", "--title", "One"]);
        sandbox.ok(&["attest", "--new-key", "desk.key", "--name", "desk"]);
        sandbox.ok(&["attest", "--key", "desk.key", "-o", "march.txt"]);
        sandbox.ok(&["attest", "--timestamp-request", "march.txt", "-o", "march.tsq"]);
        sandbox.write("tsa.cnf", CONFIG);
        sandbox.write("serial", "01\n");
        Self(sandbox)
    }

    fn openssl(&self, line: &str) -> Done {
        let mut command = Command::new("openssl");
        finish(command.args(line.split_whitespace()).current_dir(self.0.path(".")), "")
    }

    fn made(&self, line: &str) -> String {
        let done = self.openssl(line);
        assert_eq!(done.code, 0, "openssl {line}: {}", done.stderr);
        done.stdout
    }

    /// A key, and a certificate of it for `usage`.
    fn certificate(&self, name: &str, key: &str, usage: &str) {
        self.made(&format!("genpkey {key} -out {name}.key"));
        self.made(&format!(
            "req -new -x509 -days 30 -key {name}.key -out {name}.pem -config tsa.cnf -extensions {usage}"
        ));
    }

    /// The authority's answer to the request.
    fn answer(&self, name: &str, more: &str) {
        self.made(&format!(
            "ts -reply -config tsa.cnf -queryfile march.tsq -inkey {name}.key -signer {name}.pem -out {name}.tsr {more}"
        ));
    }
}

#[test]
fn a_token_is_asked_for_kept_and_checked() {
    if !has("openssl") {
        return;
    }
    let authority = Authority::new();
    let Authority(sandbox) = &authority;
    let query = authority.made("ts -query -in march.tsq -text");
    assert!(query.contains("Hash Algorithm: sha256"), "{query}");
    for (name, key) in [
        ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        ("p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
    ] {
        authority.certificate(name, key, "stamps");
        for digest in ["sha256", "sha384", "sha512"] {
            sandbox.write(
                "tsa.cnf",
                &CONFIG.replace("signer_digest = sha256", &format!("signer_digest = {digest}")),
            );
            authority.answer(name, "");
            let kept =
                sandbox.ok(&["attest", "--timestamp", &format!("{name}.tsr"), "--checkpoint", "march.txt"]);
            assert!(kept.starts_with("march.txt.tsr: stamped at 20"), "{kept}");
            let pem = format!("{name}.pem");
            let told = sandbox.ok(&["verify", "--checkpoint", "march.txt", "--tsa-cert", &pem]);
            assert!(
                told.contains("it was there at 20") && told.contains("as CN=Test Authority says"),
                "{told}"
            );
        }
        authority.made(&format!("ts -verify -data march.txt -in march.txt.tsr -CAfile {name}.pem"));
    }
    // Without a certificate the imprint is checked, and what is not is said.
    let done = sandbox.run(&["verify", "--checkpoint", "march.txt"]);
    assert!(done.code == 0 && done.stdout.contains("if its token is right"), "{}", done.stdout);
    assert!(done.stderr.contains("whose token it is was not checked"), "{}", done.stderr);
    let told = sandbox.json(&["verify", "--checkpoint", "march.txt", "--tsa-cert", "p384.pem"]);
    assert_eq!(told["checkpoint"]["timestamp"]["signed_by"], "CN=Test Authority");
    sandbox.ok(&["prove", "a", "--at-checkpoint", "march.txt", "-o", "proof.json"]);
    let done = sandbox.run(&[
        "verify",
        "--proof",
        "proof.json",
        "--checkpoint",
        "march.txt",
        "--tsa-cert",
        "p384.pem",
    ]);
    assert!(done.code == 0 && done.stderr.contains("as CN=Test Authority says"), "{}", done.stderr);
}

#[test]
fn a_token_that_does_not_fit_is_refused() {
    if !has("openssl") {
        return;
    }
    let authority = Authority::new();
    let Authority(sandbox) = &authority;
    let key = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    authority.certificate("tsa", key, "stamps");
    authority.certificate("other", key, "stamps");
    authority.certificate("web", key, "web");
    authority.answer("tsa", "");
    let verify = |pem: &str| sandbox.run(&["verify", "--checkpoint", "march.txt", "--tsa-cert", pem]);
    let refused = |done: &Done, what: &str| {
        assert_ne!(done.code, 0, "{what}: {}", done.stdout);
        assert!(done.stderr.contains(what), "{what}: {}", done.stderr);
    };
    refused(&verify("tsa.pem"), "there is no token");
    sandbox.ok(&["attest", "--timestamp", "tsa.tsr", "--checkpoint", "march.txt"]);
    assert_eq!(verify("tsa.pem").code, 0);
    refused(&verify("other.pem"), "another certificate");
    refused(&verify("march.txt"), "no certificate in PEM");
    // The token of another checkpoint.
    sandbox.ok(&["append", "--title", "Two"]);
    sandbox.ok(&["attest", "--key", "desk.key", "-o", "april.txt"]);
    let done = sandbox.run(&["attest", "--timestamp", "tsa.tsr", "--checkpoint", "april.txt"]);
    refused(&done, "timestamp: the token is of other bytes than the checkpoint's");
    assert!(!sandbox.path("april.txt.tsr").exists());
    // Every byte of a token, altered. Only what nothing depends on can be another: the list of hash functions in front,
    // and the parameters that this one does not have.
    authority.made("ts -query -data march.txt -sha256 -no_nonce -out march.tsq");
    authority.answer("tsa", "");
    let token = fs::read(sandbox.path("tsa.tsr")).unwrap();
    let step: usize = std::env::var("ANNALS_TOKEN_STEP").ok().and_then(|n| n.parse().ok()).unwrap_or(7);
    let mut accepted = Vec::new();
    for place in (0..token.len()).step_by(step) {
        let mut other = token.clone();
        other[place] ^= 0x10;
        fs::write(sandbox.path("march.txt.tsr"), &other).unwrap();
        let done = verify("tsa.pem");
        assert!(matches!(done.code, 0 | 1 | 4), "byte {place}: {}", done.stderr);
        if done.code == 0 {
            accepted.push(place);
        }
    }
    let list =
        token.windows(11).position(|part| part == b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01").unwrap();
    accepted.retain(|place| !(list..list + 13).contains(place));
    assert!(accepted.len() <= 1, "{accepted:?}");
    fs::write(sandbox.path("march.txt.tsr"), &token[..token.len() / 2]).unwrap();
    refused(&verify("tsa.pem"), "not an answer of RFC 3161");
}
