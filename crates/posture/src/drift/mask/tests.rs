//! Lines in, lines out.

use super::*;
use proptest::prelude::*;

fn check(text: &str, expected: &str) {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert_eq!(mask(&lines).join("\n"), expected);
}

#[test]
fn values_of_secret_keys_in_many_formats() {
    check("password = hunter2", "password = ****");
    check(
        "export DB_PASSWORD=\"hunter2\" # old",
        "export DB_PASSWORD=\"****",
    );
    check(
        "  \"apiToken\": \"abc\", \"next\": 1",
        "  \"apiToken\": \"****",
    );
    check("<password>abc</password>", "<password>****");
    check("requirepass hunter2", "requirepass ****");
    check("# password: hunter2", "# password: ****");
    check("host=a user=b password=c", "host=a user=b password=****");
    check(
        "ssl_certificate_key /etc/k.pem;",
        "ssl_certificate_key ****",
    );
    check("  - \"--db-pass=hunter2\"", "  - \"--db-pass=****");
    check("set $secretKey 'x'; y", "set $secretKey '****");
}

#[test]
fn what_is_no_secret_is_shown() {
    for line in [
        "listen 443",
        "PasswordAuthentication no",
        "PermitRootLogin without-password",
        "monitor: true",
        "keepalive_timeout 65",
        "bypass_hosts = a,b",
        "keyboard = us",
        "git@github.com:a/b",
        "image: nginx:1.25@sha256:0123",
        "http://example.org:80/a",
        "",
    ] {
        check(line, line);
    }
}

#[test]
fn blocks_below_a_secret_key() {
    check(
        "a: 1\npassword: |\n  one\n\n  two\nb: 2\ntokens:\n- x\nc: 3",
        "a: 1\npassword: |\n  ****\n\n  ****\nb: 2\ntokens:\n****\nc: 3",
    );
    check(
        "- password: x\n  user: y\n- password: >\n    x\n  user: y",
        "- password: ****\n  user: y\n- password: >\n    ****\n  user: y",
    );
    check(
        "\"secrets\": {\n  \"a\": 1\n}\n",
        "\"secrets\": {\n  ****\n}",
    );
    check(
        "[secrets]\na = 1\n[other]\na = 1",
        "[secrets]\na = ****\n[other]\na = 1",
    );
    check("token = a \\\n  b\nc", "token = ****\n  ****\nc");
    check(
        "password: \"abc\n  def\"\nx: 1",
        "password: \"****\n  ****\nx: 1",
    );
}

#[test]
fn lines_too_long_to_be_looked_into_are_hidden() {
    check(&format!("  {}\na", "x ".repeat(3000)), "****\na");
}

#[test]
fn texts_of_many_lines() {
    check(
        "<password>\n  abc\n</password>",
        "<password>\n  ****\n</password>",
    );
    check(
        "password = <<-EOF\nabc\nxEOF\nEOF\nd",
        "password = ****\n****\n****\n****\nd",
    );
    check(
        "token = \"\"\"\nabc\n\"\"\"\nd",
        "token = \"\"\"\n****\n****\nd",
    );
    check("token = '''abc'''\nd", "token = '''****\nd");
    check(
        "[secrets] # of all\na = 1\n[[b]]\na = 1",
        "[secrets] ****\na = ****\n[[b]]\na = 1",
    );
}

#[test]
fn values_that_stand_beside_the_name() {
    check(
        "- name: DB_PASSWORD\n  value: abc\n- name: HOST\n  value: h",
        "- name: DB_PASSWORD\n  value: ****\n- name: HOST\n  value: ****",
    );
    check(
        "{\"value\": \"abc\",\n\"name\": \"TOKEN\"}",
        "{\"value\": ****\n\"name\": \"TOKEN\"}",
    );
    check("- {value: abc, name: TOKEN}", "- {value: ****");
}

#[test]
fn data_of_a_kubernetes_secret() {
    let text = "kind: Secret\ndata:\n  user: YWJj\nx: y";
    check(text, "kind: Secret\ndata:\n  ****\nx: y");
    check(
        "kind: ConfigMap\ndata:\n  user: a",
        "kind: ConfigMap\ndata:\n  user: a",
    );
}

#[test]
fn private_keys_and_tokens() {
    check(
        "x\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIE\n  abc\n  -----END RSA PRIVATE KEY-----\ny",
        "x\n  ****\n  ****\n  ****\n  ****\ny",
    );
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----";
    check(certificate, certificate);
    check(
        "url = postgres://u:p@w@h/db x",
        "url = postgres://****@h/db x",
    );
    check("u:p@tcp(h:1)/db", "****@tcp(h:1)/db");
    // The password looks like the name of one.
    check("x = a://u:0PW@h/y", "x = a://****");
    check("run ghp_abcDEF123 now", "run **** now");
    check("a\u{a0}u:0pw@h", "a\u{a0}****");
    check("root:$6$salt$hash:19000", "root:****");
    check("a eyJhbGciOi.eyJzdWIi.abc\"", "a ****\"");
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>()) {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        prop_assert_eq!(mask(&lines).len(), lines.len());
    }

    #[test]
    fn a_secret_is_never_shown(
        above in prop::sample::select(vec!["", "[x]\n", "a:\n", "-----BEGIN PRIVATE KEY-----\n", "- name: x\n", "a \\\n", "tokens:\n"]),
        before in "[ a-z\"{\\[#-]{0,6}",
        key in "(db_|DB_|my|x\\.|-)?(password|PASSWORD|Secret|token|api_key|passwd|privateKey)",
        between in "(\"|')? ?[:= ] ?(\"|')?",
        after in "[ \"';,}\\]a-z]{0,5}",
    ) {
        // No letter of it occurs elsewhere.
        let text = format!("{above}{before} {key}{between}ZQXJ9{after}");
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let shown = mask(&lines).join("");
        prop_assert!(!shown.contains("ZQXJ9"), "{} of {}", shown, text);
    }

    #[test]
    fn passwords_in_urls_are_never_shown(scheme in "[a-z]{1,8}", password in "[A-Z0-9@:/$?]{3,9}", host in "[a-z.]{1,9}") {
        let text = format!("x = {scheme}://u:{password}@{host}/y");
        let shown = mask(&[&text]).join("");
        prop_assert!(!shown.contains(&password), "{} of {}", shown, text);
    }
}
