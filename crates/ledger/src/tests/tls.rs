//! A ledger that lies behind TLS, and whose certificate is looked at.

use std::fs;
use std::path::Path;

use super::postgres::{Server, free_port, new_database, programs};
use super::*;
use crate::OpenError;

/// A certificate of its own for the loopback address, and its key.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

async fn open(url: &str, parameters: &str) -> Result<Ledger, OpenError> {
    let location = format!("{url}?{parameters}").parse().unwrap();
    Ledger::open_for_writing(&location).await
}

fn verified_by(root: &Path) -> String {
    format!("sslmode=verify-full&sslrootcert={}", root.display())
}

/// An error with all that it came from.
fn told(error: &OpenError) -> String {
    let all = std::iter::successors(Some(error as &dyn std::error::Error), |it| it.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[test]
fn a_ledger_behind_tls_is_opened_when_its_certificate_is_vouched_for() {
    block_on(async {
        let Some(bin) = programs() else { return };
        let (data, trust) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (certificate_of_server, key) = certificate();
        fs::write(data.path().join("server.crt"), &certificate_of_server).unwrap();
        fs::write(data.path().join("server.key"), key).unwrap();
        let (right, wrong) = (
            trust.path().join("right.pem"),
            trust.path().join("wrong.pem"),
        );
        fs::write(&right, certificate_of_server).unwrap();
        fs::write(&wrong, certificate().0).unwrap();
        let server = Server::start(&bin, data.path(), free_port(), "keep").await;
        let url = server.new_database().await;

        let ledger = open(&url, &verified_by(&right)).await.unwrap();
        let way = Way::postgres(&url, Purpose::Reading, std::time::Duration::from_secs(10));
        let mut link = way.unwrap().connect().await.unwrap();
        let sql = "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                   WHERE ssl AND application_name LIKE 'forestall%' AND pid <> pg_backend_pid()";
        let rows = link.session().fetch(Statement::new("x", sql, [])).await;
        assert_eq!(rows.unwrap()[0].int(0).unwrap(), 1, "the writer's");
        link.close().await;
        ledger.close().await;

        let error = told(&open(&url, &verified_by(&wrong)).await.unwrap_err());
        assert!(error.contains("certificate"), "{error}");
        server.stop();
    });
}

#[test]
fn a_server_without_tls_is_refused_when_tls_is_asked_for() {
    block_on(async {
        let Some(url) = new_database().await else {
            return;
        };
        let error = told(&open(&url, "sslmode=require").await.unwrap_err());
        assert!(error.contains("TLS"), "{error}");
        assert!(open(&url, "sslmode=prefer").await.is_ok());
    });
}
