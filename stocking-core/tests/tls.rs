//! What is wrong with a certificate or a key is said by name, and of which file.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{env, fs, path::Path, process, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use stocking_core::{TlsConfig, TlsError, TlsFault};

/// A certificate and its key.
fn pair() -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

fn fault(certificates: &str, private_key: &str) -> TlsError {
    let error = TlsConfig::from_pem(certificates, private_key).unwrap_err();
    assert_eq!(error.path(), None);
    error
}

#[test]
fn a_certificate_and_its_key_are_taken_in_one_text_or_two_and_offer_http_1() {
    let (certificate, key) = pair();
    let both = format!("{key}{certificate}");
    for (certificate, key) in [(&certificate, &key), (&both, &both)] {
        let config: Arc<rustls::ServerConfig> = TlsConfig::from_pem(certificate, key).unwrap().into();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }
}

#[test]
fn every_fault_has_a_name() {
    let ((certificate, key), (_, other_key)) = (pair(), pair());
    assert!(matches!(fault("", &key).fault(), TlsFault::NoCertificate));
    assert!(matches!(fault(&key, &key).fault(), TlsFault::NoCertificate));
    assert!(matches!(fault(&certificate, "").fault(), TlsFault::NoPrivateKey));
    assert!(matches!(fault(&certificate, &certificate).fault(), TlsFault::NoPrivateKey));
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert!(matches!(fault(&certificate, &encrypted).fault(), TlsFault::NoPrivateKey));
    assert!(matches!(fault(&certificate, &other_key).fault(), TlsFault::WrongKey));
    let (cut, cut_key) = (&certificate[..100], &key[..100]);
    assert!(matches!(fault(cut, &key).fault(), TlsFault::Malformed(_)));
    assert!(matches!(fault(&certificate, cut_key).fault(), TlsFault::Malformed(_)));
    let nonsense = |what: &str| format!("-----BEGIN {what}-----\nAAAA\n-----END {what}-----\n");
    assert!(matches!(fault(&nonsense("CERTIFICATE"), &key).fault(), TlsFault::Unusable(_)));
    assert!(matches!(fault(&certificate, &nonsense("PRIVATE KEY")).fault(), TlsFault::Unusable(_)));
}

#[test]
fn an_error_names_the_file() {
    let directory = env::temp_dir().join(format!("stocking-tls-{}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    let error = |certificate: &Path, key: &Path| TlsConfig::from_pem_files(certificate, key).unwrap_err();

    let missing = error(&certificate, &key);
    assert!(matches!(missing.fault(), TlsFault::Unreadable(_)));
    assert_eq!(missing.path(), Some(&*certificate));
    let (good, good_key) = pair();
    fs::write(&certificate, good).unwrap();
    assert_eq!(error(&certificate, &key).path(), Some(&*key));
    fs::write(&key, pair().1).unwrap();
    let wrong = error(&certificate, &key);
    assert!(matches!(wrong.fault(), TlsFault::WrongKey));
    assert_eq!(wrong.to_string(), format!("{}: the private key does not fit the certificate", key.display()));
    fs::write(&key, good_key).unwrap();
    TlsConfig::from_pem_files(&certificate, &key).unwrap();
    fs::remove_dir_all(&directory).unwrap();
}
