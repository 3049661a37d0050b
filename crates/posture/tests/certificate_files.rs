//! Files with certificates, as `certificate::read_file` describes them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use posture::certificate::{Validity, read_file};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SerialNumber,
    date_time_ymd,
};
use series::Timestamp;
use tempfile::TempDir;

struct Made {
    leaf: rcgen::Certificate,
    key: KeyPair,
    authority: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate that outlives its authority.
fn made() -> Made {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, "Root");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2025, 1, 1);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names = ["a.example", "10.0.0.1", "::1"].map(String::from);
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.remove(DnType::CommonName);
    params
        .distinguished_name
        .push(DnType::CommonName, "a.example");
    params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0xff]));
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2026, 1, 1);
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &authority).unwrap();
    Made {
        leaf,
        key,
        authority,
    }
}

fn written(bytes: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.pem");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// What is said of the file, with its folder cut off.
fn problem(bytes: impl AsRef<[u8]>) -> String {
    let (folder, path) = written(bytes);
    let message = read_file(&path).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

/// 2025-01-01T00:00:00Z.
const ROOT_ENDS_S: i64 = 1_735_689_600;

#[test]
fn a_chain_in_pem_is_described() {
    let made = made();
    let text = [
        made.leaf.pem(),
        made.key.serialize_pem(),
        made.authority.pem(),
    ]
    .concat();
    let (_folder, path) = written(text);
    let chain = read_file(&path).unwrap();
    let [leaf, root] = chain.certificates() else {
        panic!("{chain:?}");
    };
    assert_eq!(leaf.common_name.as_deref(), Some("a.example"));
    assert_eq!(leaf.names, ["a.example", "10.0.0.1", "::1"]);
    assert_eq!(leaf.issuer, "CN=Root, O=Example");
    assert_eq!(leaf.serial, "0aff");
    assert_eq!(leaf.fingerprint.len(), 64);
    assert!(!leaf.self_signed && !leaf.authority);
    assert!(root.self_signed && root.authority);
    assert_eq!(root.not_after, Timestamp::from_millis(ROOT_ENDS_S * 1000));
    // The authority ends first, and with it what it signed.
    let (first, certificate) = chain.first_to_expire();
    assert_eq!((first, certificate), (1, root));
    let now = Timestamp::from_millis((ROOT_ENDS_S + 60) * 1000);
    assert!((chain.remaining_s(now) + 60.0).abs() < 1e-6);
    assert_eq!(root.validity(now), Validity::Expired);
    assert_eq!(leaf.validity(now), Validity::Valid);
    assert_eq!(leaf.validity(root.not_before), Validity::Early);
}

#[test]
fn der_says_the_same_as_pem() {
    let made = made();
    let (_folder, pem) = written(made.leaf.pem());
    let (_other, der) = written(made.leaf.der());
    assert_eq!(read_file(&pem).unwrap(), read_file(&der).unwrap());
}

#[test]
fn an_authority_under_a_new_key_is_not_self_signed() {
    let old = made().authority;
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Root");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.use_authority_key_identifier_extension = true;
    let new = params
        .signed_by(&KeyPair::generate().unwrap(), &old)
        .unwrap();
    let (_folder, path) = written(new.pem());
    let chain = read_file(&path).unwrap();
    assert_eq!(chain.leaf().common_name.as_deref(), Some("Root"));
    assert_eq!(chain.leaf().issuer, "CN=Root, O=Example");
    assert!(!chain.leaf().self_signed);
}

#[test]
fn what_is_wrong_is_named() {
    let made = made();
    let (pem, der) = (made.leaf.pem(), made.leaf.der());
    assert_eq!(
        problem(""),
        "f.pem: no certificate in it: neither PEM nor DER"
    );
    assert_eq!(
        problem("hello"),
        "f.pem: no certificate in it: neither PEM nor DER"
    );
    assert_eq!(
        problem(made.key.serialize_pem()),
        "f.pem: no certificate in it, only PRIVATE KEY"
    );
    assert_eq!(
        problem(&pem[..pem.len() - 30]),
        "f.pem:1: the file ends within a block \"CERTIFICATE\": it is cut short"
    );
    let half = der.len() / 2;
    assert_eq!(
        problem(&der[..half]),
        format!(
            "f.pem:1: certificate 1: the certificate is cut short: {half} bytes are not all of it"
        )
    );
    let key = problem(made.key.serialize_der());
    assert!(
        key.starts_with("f.pem:1: certificate 1: not an X.509 certificate: "),
        "{key}"
    );
    // A second one that is no certificate inside.
    let second = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let lines = pem.lines().count();
    let message = problem([&pem, second].concat());
    let expected = format!(
        "f.pem:{}: certificate 2: not an X.509 certificate: ",
        lines + 1
    );
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn what_cannot_be_read_is_said_with_its_reason() {
    let reason = |path: &str| {
        let error = read_file(path.as_ref()).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        (error.to_string(), source)
    };
    let read = |path: &str| format!("reading {path}");
    assert_eq!(
        reason("/proc"),
        (read("/proc"), "not a regular file".into())
    );
    let missing = "No such file or directory (os error 2)";
    assert_eq!(reason("/no/such"), (read("/no/such"), missing.into()));
    let (_folder, path) = written(vec![b' '; (1 << 20) + 1]);
    let path = path.to_str().unwrap();
    assert_eq!(
        reason(path),
        (read(path), "larger than 1048576 bytes".into())
    );
}
