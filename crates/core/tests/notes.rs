//! Signed notes and checkpoints, held against an independent implementation (the crate `signed_note`) and against
//! hostile texts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use annals_core::Hash;
use annals_core::proof::Step;
use annals_core::proof::checkpoint::Checkpoint;
use annals_core::proof::note::{Note, SigningKey, VerifierKey};
use annals_core::proof::timestamp;
use annals_testkit::TestHost;
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

fn key(name: &str, seed: u64) -> SigningKey {
    SigningKey::new(name, &TestHost::new(seed)).unwrap()
}

fn signed(size: u64, root: Hash, keys: &[&SigningKey]) -> Checkpoint {
    let mut checkpoint = Checkpoint::unsigned("example.org/haiti", size, root).unwrap();
    for key in keys {
        checkpoint.sign(key);
    }
    checkpoint
}

/// Whether the other implementation takes the note with this key.
fn others_take(note: &str, key: &VerifierKey) -> bool {
    let Ok(note) = signed_note::Note::from_bytes(note.as_bytes()) else { return false };
    let verifier = StandardVerifier::new(&key.to_string()).unwrap();
    note.verify(&VerifierList::new(vec![Box::new(verifier)])).is_ok()
}

#[test]
fn the_published_example_is_read_and_written_back() {
    // From C2SP's tlog-checkpoint; its key is not published.
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let checkpoint = Checkpoint::parse(text.as_bytes()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.to_string(), text);
    let stranger = key("example.com/behind-the-sofa", 1).public().clone();
    let refusal = checkpoint.check(&[stranger]).unwrap_err();
    assert_eq!(refusal.step, Step::Signature);
    assert!(refusal.to_string().contains("example.com/behind-the-sofa+033de0ae"), "{refusal}");
}

#[test]
fn keys_of_the_go_documentation_are_read_and_written_back() {
    // The example key pair of golang.org/x/mod/sumdb/note.
    let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let private = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let key = SigningKey::parse(private).unwrap();
    assert_eq!(key.public().to_string(), public);
    assert_eq!(key.secret_text().trim(), private);
    let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let read = Note::parse(note).unwrap();
    assert_eq!(read.check(&[public.parse().unwrap()]).unwrap().len(), 1);
    let mut ours = Note::unsigned(read.text().to_owned());
    ours.sign(&key);
    assert_eq!(ours.to_string(), note);
    assert!(!format!("{key:?}").contains("AYEKFALVFGyNhPJ"), "a private key is never shown");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn others_take_our_notes_and_we_theirs(
        size in any::<u64>(),
        root in any::<Hash>(),
        name in "[a-z]{1,8}(\\.[a-z]{2,5})?(/[a-zA-Z0-9é_-]{1,9})?",
        seed in any::<u64>(),
        witnesses in 0_u64..4,
    ) {
        let own = key(&name, seed);
        let mut checkpoint = signed(size, root, &[&own, &own]);
        for witness in 0..witnesses {
            checkpoint.sign(&key(&format!("witness-{witness}"), seed ^ witness));
        }
        let text = checkpoint.to_string();
        prop_assert_eq!(checkpoint.note().signatures().len() as u64, witnesses + 1);
        prop_assert_eq!(&Checkpoint::parse(text.as_bytes()).unwrap(), &checkpoint);
        prop_assert!(others_take(&text, own.public()));

        // Their signer, with our key as we store it.
        let signer = StandardSigner::new(own.secret_text().trim()).unwrap();
        let mut theirs = signed_note::Note::new(checkpoint.note().text().as_bytes(), &[]).unwrap();
        theirs.add_sigs(&[&signer]).unwrap();
        let theirs = Checkpoint::parse(&theirs.to_bytes()).unwrap();
        prop_assert_eq!(theirs.check(std::slice::from_ref(own.public())).unwrap(), vec![own.public()]);
    }

    /// What is taken as signed is what the other implementation takes, too.
    #[test]
    fn a_changed_note_is_refused(place in any::<prop::sample::Index>(), change in 1_u8..=255, cut in any::<bool>()) {
        let own = key("desk", 5);
        let text = signed(42, [3; 32], &[&own]).to_string();
        let mut bytes = text.clone().into_bytes();
        let place = place.index(bytes.len());
        if cut { bytes.truncate(place) } else { bytes[place] ^= change }
        let taken = Checkpoint::parse(&bytes).is_ok_and(|read| read.check(std::slice::from_ref(own.public())).is_ok());
        prop_assert!(!taken, "{:?}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_bytes_bring_the_reading_of_a_token_down(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..60) {
        prop_assert!(timestamp::check(&bytes, b"checkpoint", &[]).is_err());
        // A request is well-formed, and no answer.
        let mut request = timestamp::request(&bytes).unwrap();
        prop_assert!(timestamp::check(&request, &bytes, &[]).is_err());
        request.truncate(cut);
        prop_assert!(timestamp::check(&request, &bytes, &[]).is_err());
        prop_assert!(timestamp::certificates(&bytes).is_err());
    }

    #[test]
    fn whatever_is_read_is_written_back_as_it_was(text in "[a-z0-9\n+/=\u{2014} ]{0,200}") {
        if let Ok(note) = Note::parse(&text) {
            prop_assert_eq!(note.to_string(), text.clone());
        }
        if let Ok(checkpoint) = Checkpoint::parse(text.as_bytes()) {
            prop_assert_eq!(checkpoint.to_string(), text);
        }
    }
}

#[test]
fn a_wrong_signature_of_a_known_key_spoils_the_note() {
    let (desk, witness) = (key("desk", 1), key("witness", 2));
    let good = signed(42, [3; 32], &[&desk, &witness]);
    let keys = [desk.public().clone(), witness.public().clone()];
    assert_eq!(good.check(&keys).unwrap().len(), 2);
    assert_eq!(good.check(&keys[..1]).unwrap(), [&keys[0]]);
    // The signature of another checkpoint, under this one.
    let other = signed(43, [3; 32], &[&desk]).to_string();
    let wrong = other.lines().last().unwrap();
    let text = format!("{good}{wrong}\n");
    let spoilt = Checkpoint::parse(text.as_bytes()).unwrap();
    let refusal = spoilt.check(&keys[..1]).unwrap_err();
    assert_eq!(refusal.step, Step::Signature);
    assert!(refusal.to_string().contains("is wrong"), "{refusal}");
    assert!(spoilt.check(&keys[1..]).is_ok(), "a stranger's signature is no matter");
    assert!(good.check(&[]).is_err(), "no keys, no signature");
}

#[test]
fn hostile_texts_are_refused() {
    let good = signed(42, [3; 32], &[&key("desk", 1)]).to_string();
    assert!(Checkpoint::parse(good.as_bytes()).is_ok());
    let root = good.lines().nth(2).unwrap();
    let signature = good.lines().last().unwrap();
    for (from, to) in [
        ("\n42\n", "\n042\n"),
        ("\n42\n", "\n+42\n"),
        ("\n42\n", "\n-42\n"),
        ("\n42\n", "\n 42\n"),
        ("\n42\n", "\n18446744073709551616\n"),
        ("\n42\n", "\n\n"),
        ("\n42\n", "\r\n42\n"),
        ("example.org", "\u{1b}[31mexample.org"),
        ("example.org/haiti", ""),
        (root, &root[..40]),
        (root, &root.replace('=', "")),
        ("\n\n", "\n"),
        (signature, ""),
        (signature, "\u{2014} desk"),
        (signature, "\u{2014} desk AAAA"),
        (signature, "\u{2014} de+sk AAAAAAAAAA=="),
        (signature, &signature.replace('\u{2014}', "-")),
        (signature, &format!("{signature}\n\n{signature}")),
        (signature, &format!("{signature}\n").repeat(101)),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        assert!(Checkpoint::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(Checkpoint::parse(b"\xff\xfe").is_err());
    assert!(Checkpoint::parse(&vec![b'a'; 2 << 20]).is_err());
    assert!(Checkpoint::unsigned("a\nb", 1, [0; 32]).is_err());

    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "\u{7}"] {
        assert!(SigningKey::new(name, &TestHost::new(1)).is_err(), "{name:?}");
    }
    let public = key("desk", 1).public().to_string();
    assert!(public.parse::<VerifierKey>().is_ok());
    let weak = "desk+e1d2a22a+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for text in [
        "",
        "desk",
        "desk+12345678",
        &public.replace("desk", "disk"),
        &public.to_uppercase(),
        weak,
        &public[1..],
    ] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text}");
    }
    let private = key("desk", 1).secret_text();
    assert!(private.parse::<VerifierKey>().unwrap_err().to_string().contains("private"));
    assert!(SigningKey::parse(&private.replace("desk", "disk")).is_err());
    assert!(SigningKey::parse(&public).is_err());
}
