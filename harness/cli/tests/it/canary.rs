//! Marked secrets go through a live run and through an import, and leave no trace in anything that easrig writes.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Child,
};

use crate::easrig::{Ended, command, easrig};

/// Credentials: in no output of any kind.
const CREDENTIALS: [&str; 4] = ["C4n4ryPassw0rdZq", "C4n4ryT0kenXwvut", "C4n4ryC00kieKjhg", "C4n4ryDevPinPoiu"];

/// Contents: only where they are asked for.
const CONTENTS: [&str; 6] =
    ["KanarienBetreffQx", "KanarienInhaltVw", "KanarienAnlageYz", "kanarien.person", "4915177788990", "kanarienhaus"];

/// Ids of devices: pseudonyms everywhere.
const DEVICES: [&str; 1] = ["APPLKANARIEN0815"];

/// A scenario whose phone says everything that nobody should read.
fn scenario() -> String {
    let attachment = base64(format!("{} {}", CONTENTS[2], CONTENTS[1]).as_bytes());
    format!(
        r#"id       = "canary/told"
title    = "A mail with contents, and a device that tells what it is"
level    = "robust"
start    = "provisioned"
effects  = "writes"
needs    = ["partner"]

[[step]]
send  = "SendMail"
body  = '''
<SendMail xmlns="ComposeMail"><ClientId>{{tag}}</ClientId><Mime>From: {{address}}
To: {{partner_address}}, "{person}" &lt;{person}@{host}.example&gt;
Subject: {subject}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain

{body}, {phone}
--b
Content-Type: application/octet-stream; name="{attached}.bin"
Content-Transfer-Encoding: base64

{attachment}
--b--
</Mime></SendMail>
'''

[[step]]
send  = "Settings"
body  = '''
<Settings xmlns="Settings"><DevicePassword><Set><Password>{pin}</Password></Set></DevicePassword>
<DeviceInformation><Set><Model>M</Model><IMEI>{device}</IMEI><PhoneNumber>{phone}</PhoneNumber></Set></DeviceInformation></Settings>
'''
"#,
        person = CONTENTS[3],
        host = CONTENTS[5],
        subject = CONTENTS[0],
        body = CONTENTS[1],
        phone = CONTENTS[4],
        attached = CONTENTS[2],
        pin = CREDENTIALS[3],
        device = DEVICES[0],
    )
}

/// The same in an archive, with a cookie and a token beside.
fn archive() -> String {
    let [password, token, cookie, _] = CREDENTIALS;
    let [subject, body, attached, person, phone, host] = CONTENTS;
    let basic = base64(format!("{host}\\{person}:{password}").as_bytes());
    let inner = base64(format!("{body} {phone}").as_bytes());
    let mail = format!(
        "From: {person}@{host}.example\r\nSubject: =?utf-8?B?{}?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{inner}\r\n--b\r\nContent-Type: text/plain; name={attached}\r\n\r\n{phone}\r\n--b--\r\n",
        base64(subject.as_bytes())
    );
    let url = format!(
        "https://mail.{host}.example/Microsoft-Server-ActiveSync?Cmd=SendMail&User={host}%5C{person}&DeviceId={}&DeviceType=iPhone",
        DEVICES[0]
    );
    let headers = [
        ("Authorization", format!("Basic {basic}")),
        ("Cookie", format!("a={cookie}")),
        ("X-Access-Token", token.to_owned()),
        ("Content-Type", "message/rfc822".to_owned()),
        ("MS-ASProtocolVersion", "12.1".to_owned()),
        ("Host", format!("mail.{host}.example")),
        ("User-Agent", "Apple-iPhone14C2/2101.329".to_owned()),
    ];
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| serde_json::json!({ "name": name, "value": value })).collect();
    serde_json::json!({ "log": { "entries": [{
        "startedDateTime": "2026-11-22T05:00:00.000Z", "time": 12,
        "request": { "method": "POST", "url": url, "headers": headers, "postData": { "mimeType": "message/rfc822", "text": mail } },
        "response": { "status": 200, "statusText": "OK",
            "headers": [{ "name": "Set-Cookie", "value": format!("b={cookie}") }],
            "content": { "size": 0, "mimeType": "application/json",
                "text": format!("{{\"access_token\":\"{token}\",\"displayName\":\"{person}\",\"tel\":\"+{phone}\"}}") } },
    }] } })
    .to_string()
}

/// What is written from a capture or a run: one line each.
fn producers(capture: &str, out: &Path) -> Vec<(String, Vec<u8>)> {
    let path = |name: &str| out.join(name).to_str().unwrap().to_owned();
    let show = |format: &str| vec!["show".to_owned(), capture.to_owned(), "--format".to_owned(), format.to_owned()];
    let write = |command: &str, file: &str| vec![command.to_owned(), capture.to_owned(), "-o".to_owned(), path(file)];
    let commands = [
        show("human"),
        show("json"),
        show("xml"),
        vec!["census".to_owned(), capture.to_owned()],
        vec!["census".to_owned(), capture.to_owned(), "--format".to_owned(), "json".to_owned()],
        write("import", "again.eascap"),
        write("export", "x.har"),
        write("export", "x.pcapng"),
    ];
    let mut all = Vec::new();
    for command in commands {
        let ended = easrig(&command.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ended.code, 0, "{command:?}: {}", ended.stderr);
        all.push((format!("{command:?} stdout"), ended.stdout));
        all.push((format!("{command:?} stderr"), ended.stderr.into_bytes()));
    }
    all.extend(answers(capture, out));
    all.extend(files(out));
    all
}

/// What is written from two runs: this one, and the same as if nothing of it had been recorded.
fn compared(dir: &Path, folder: &Path) -> Vec<(String, Vec<u8>)> {
    let short = dir.join("short");
    fs::create_dir_all(&short).unwrap();
    let log = fs::read_to_string(folder.join("run.jsonl")).unwrap();
    fs::write(short.join("run.jsonl"), log.split_inclusive('\n').next().unwrap()).unwrap();
    let (short, folder) = (short.to_str().unwrap(), folder.to_str().unwrap());
    let mut all = Vec::new();
    for format in ["human", "html", "json", "markdown"] {
        for command in [["compare", short, folder], ["compare", folder, folder], ["matrix", short, folder]] {
            let ended = easrig(&[&command[..], &["--format", format]].concat());
            assert_ne!(ended.code, 2, "{command:?}: {}", ended.stderr);
            all.push((format!("{command:?} {format}"), ended.stdout));
        }
    }
    all
}

/// What is made of a capture or a run by judging it: the exit code says what came of it, and does not matter here.
fn answers(capture: &str, out: &Path) -> Vec<(String, Vec<u8>)> {
    let path = |name: &str| {
        let path = out.join(name);
        let _ = fs::remove_dir_all(&path);
        path.to_str().unwrap().to_owned()
    };
    let (judged, replayed, again, written) = (path("judged"), path("replayed"), path("kept"), path("written.toml"));
    let census = easrig(&["census", capture, "--format", "json"]);
    let census: serde_json::Value = serde_json::from_slice(&census.stdout).unwrap();
    // Some OPTIONS name no device.
    let mut devices = census["devices"].as_array().unwrap().iter().filter_map(|device| device["id"].as_str());
    let device = devices.find(|id| !id.is_empty()).unwrap();
    let learned = path("learned.toml");
    let mut commands = vec![
        vec!["judge", capture, "--out", &judged],
        vec!["judge", capture, "--format", "junit"],
        vec!["to-scenario", capture, "-o", &written],
        vec!["persona", "learn", capture, "--device", device, "-o", &learned],
        vec!["replay", capture, "--target", "embedded:exchange-2016", "--allow", "writes", "--out", &replayed],
    ];
    if Path::new(capture).is_dir() {
        commands.push(vec!["baseline", "approve", capture, "--name", "canary", "--dir", &again]);
    }
    let mut all = Vec::new();
    for command in commands {
        let ended = easrig(&command);
        assert_ne!(ended.code, 101, "{command:?}: {}", ended.stderr);
        all.push((format!("{command:?} stdout"), ended.stdout));
        all.push((format!("{command:?} stderr"), ended.stderr.into_bytes()));
    }
    let folders = [judged, replayed].into_iter().chain(Path::new(capture).is_dir().then_some(again));
    for folder in folders {
        assert!(!files(Path::new(&folder)).is_empty(), "{folder} is empty");
    }
    assert!(Path::new(&learned).is_file());
    // What the archive holds was not served as a server would.
    assert!(Path::new(&written).is_file() || !Path::new(capture).is_dir());
    all
}

/// Every file in a folder and below.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: &Path| vec![(path.display().to_string(), fs::read(path).unwrap())];
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { file(&path) }).collect()
}

#[test]
fn a_run_writes_no_credential_and_no_content() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(dir.path(), "run", &[]);
    let folder = dir.path().join("run");
    let mut all = vec![("stdout".to_owned(), ended.stdout), ("stderr".to_owned(), ended.stderr.into_bytes())];
    all.extend(files(&folder));
    for format in ["html", "junit", "json", "markdown", "human", "tap", "github", "prometheus"] {
        let report = easrig(&["report", folder.to_str().unwrap(), "--format", format]);
        all.push((format!("report {format}"), report.stdout));
    }
    all.extend(compared(dir.path(), &folder));
    all.extend(producers(folder.to_str().unwrap(), &subfolder(dir.path())));
    assert!(all.len() > 20, "{}", all.len());
    for secret in CREDENTIALS.iter().chain(&CONTENTS).chain(&DEVICES) {
        is_nowhere(&all, secret);
    }
}

#[test]
fn a_run_that_keeps_contents_loses_them_when_it_is_scrubbed() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "run", &["--keep-content"]);
    let folder = dir.path().join("run");
    let mut kept = files(&folder);
    let pages = compared(dir.path(), &folder);
    let pages: Vec<_> = pages.into_iter().filter(|(name, _)| name.ends_with("html")).collect();
    for secret in &CONTENTS {
        is_nowhere(&pages, secret);
    }
    kept.extend(compared(dir.path(), &folder));
    kept.extend(producers(folder.to_str().unwrap(), &subfolder(dir.path())));
    for secret in CREDENTIALS.iter().chain(&DEVICES) {
        is_nowhere(&kept, secret);
    }
    let written = kept.iter().find(|(name, _)| name.ends_with("/written.toml")).unwrap().clone();
    for secret in CONTENTS {
        is_nowhere(std::slice::from_ref(&written), secret);
    }
    let tape = &kept.iter().find(|(name, _)| name.ends_with("/exchanges.eascap")).unwrap().1;
    assert!(holds(tape, CONTENTS[1]), "the canary flew: the contents are there to be lost");
    nothing_is_left(folder.to_str().unwrap(), dir.path());
}

#[test]
fn an_import_writes_no_credential_and_a_scrubbed_capture_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let har = dir.path().join("x.har");
    fs::write(&har, archive()).unwrap();
    let (har, import) = (har.to_str().unwrap(), dir.path().join("x.eascap"));
    let import = import.to_str().unwrap();
    assert_eq!(easrig(&["import", har, "-o", import]).code, 0);
    let mut all = producers(import, &subfolder(dir.path()));
    all.push((import.to_owned(), fs::read(import).unwrap()));
    // The tap's rules let the host of the server stand.
    for secret in CREDENTIALS.iter().chain(&CONTENTS[..5]).chain(&DEVICES) {
        is_nowhere(&all, secret);
    }
    assert_eq!(easrig(&["import", har, "--keep-content", "-o", import]).code, 0);
    assert!(holds(&fs::read(import).unwrap(), CONTENTS[3]));
    nothing_is_left(import, dir.path());
    nothing_is_left(har, dir.path());
}

/// Scrubs the capture, and looks for everything in everything that is made from the result.
fn nothing_is_left(capture: &str, dir: &Path) {
    let scrubbed = dir.join("scrubbed.eascap");
    let scrubbed = scrubbed.to_str().unwrap();
    let ended = easrig(&["scrub", capture, "-o", scrubbed, "--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut all = producers(scrubbed, &subfolder(dir));
    all.push((scrubbed.to_owned(), fs::read(scrubbed).unwrap()));
    all.push(("report".to_owned(), ended.stdout));
    all.push(("stderr".to_owned(), ended.stderr.into_bytes()));
    for secret in CREDENTIALS.iter().chain(&CONTENTS).chain(&DEVICES) {
        is_nowhere(&all, secret);
    }
}

fn subfolder(dir: &Path) -> std::path::PathBuf {
    let folder = dir.join("out");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(dir: &Path, name: &str, more: &[&str]) -> Ended {
    let scenarios = dir.join("scenarios");
    fs::create_dir_all(scenarios.join("canary")).unwrap();
    fs::write(scenarios.join("canary/told.toml"), scenario()).unwrap();
    let (out, scenarios) = (dir.join(name), scenarios.to_str().unwrap().to_owned());
    let accounts = ["alice", "bob"].map(|user| format!("{user}:{}", CREDENTIALS[0]));
    let [alice, bob] = accounts.each_ref().map(String::as_str);
    let accounts = ["--account", alice, "--account", bob];
    let serve = ["serve", "--profile", "exchange-2016", "--listen", "127.0.0.1:0"];
    let running = Running::begin(&[&serve[..], &accounts].concat());
    let (url, root) = running.ready.strip_prefix("ready ").unwrap().split_once(" CA=").unwrap();
    let args = ["run", "canary", "--scenarios", &scenarios, "--out", out.to_str().unwrap(), "--persona", "ios-11,wp7"];
    let server = ["--target", url, "--ca", root, "--allow", "writes"];
    let ended = easrig(&[&args[..], &server, &accounts, more].concat());
    // Windows Phone 7 is said to speak no TLS that this server takes, and nobody has verified it.
    assert_eq!(ended.code, 3, "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().contains("\n1 inconclusive, "), "{}", ended.text());
    ended
}

/// A server with the accounts of the canary; it ends with the test.
struct Running {
    child: Child,
    ready: String,
}

impl Running {
    fn begin(args: &[&str]) -> Self {
        let mut child = command(args).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        Self { child, ready: ready.trim_end().to_owned() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn is_nowhere(all: &[(String, Vec<u8>)], secret: &str) {
    for (name, bytes) in all {
        assert!(!holds(bytes, secret), "{secret} is in {name}");
    }
}

/// Whether bytes hold a secret in any form that somebody could read it from.
fn holds(bytes: &[u8], secret: &str) -> bool {
    let lower = bytes.to_ascii_lowercase();
    // Line ends and escapes of line ends tear nothing apart.
    let joined: Vec<u8> = bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let plain = [
        secret.to_lowercase(),
        secret.chars().rev().collect::<String>().to_lowercase(),
        hex(secret, ""),
        hex(secret, "%"),
    ];
    let wide: Vec<u8> = secret.to_lowercase().encode_utf16().flat_map(u16::to_le_bytes).collect();
    plain.iter().any(|form| find(&lower, form.as_bytes()))
        || find(&lower, &wide)
        || (0..3).any(|shift| find(&joined, base64_inside(secret, shift).as_bytes()))
}

fn find(bytes: &[u8], form: &[u8]) -> bool {
    bytes.windows(form.len()).any(|window| window == form)
}

fn hex(secret: &str, before: &str) -> String {
    secret.bytes().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{before}{byte:02x}");
        out
    })
}

/// The digits that stand for the secret in base64 wherever it begins, without those it shares with its neighbours.
fn base64_inside(secret: &str, shift: usize) -> String {
    let digits = base64(&[&vec![0; shift][..], secret.as_bytes()].concat());
    let skip = [0, 2, 3][shift];
    let end = (shift + secret.len()) * 8 / 6;
    digits[skip..end].to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |sum, at| sum << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let padded = digit > chunk.len();
            out.push(if padded { '=' } else { char::from(DIGITS[number >> (18 - 6 * digit) & 63]) });
        }
    }
    out
}

#[test]
fn the_search_finds_every_form() {
    let secret = CREDENTIALS[0];
    for shift in 0..3 {
        let hidden = base64(format!("{}{secret} and more", "x".repeat(shift)).as_bytes());
        assert!(holds(hidden.as_bytes(), secret), "{shift}");
        assert!(holds(hidden.as_bytes().chunks(7).collect::<Vec<_>>().join(&b"\r\n"[..]).as_slice(), secret));
    }
    assert!(holds(hex(secret, "%").as_bytes(), secret) && holds(hex(secret, "").as_bytes(), secret));
    assert!(holds(secret.to_uppercase().as_bytes(), secret) && !holds(b"nothing", secret));
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(holds(&wide, secret));
}
