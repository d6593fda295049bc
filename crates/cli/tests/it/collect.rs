//! `nomen collect`: from folders and a web server to a file, also when it is killed on the way.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{answer, nomen, refusal, run};

fn collect(out: &Path) -> Command {
    let mut command = nomen();
    command.arg("collect").arg("--out").arg(out);
    command
}

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let mut rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for row in &mut rows {
        assert!(row["meta"]["collected"].take().is_string());
        assert!(row.get("entities").is_none(), "nobody annotated it");
    }
    rows
}

/// Serves a sitemap of so many pages.
fn website(pages: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(request)) = lines.next() {
                    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                    let (kind, body) = match request.split(' ').nth(1).unwrap() {
                        "/sitemap.xml" => {
                            let urls = (0..pages).map(|page| format!("<url><loc>/{page}</loc></url>"));
                            let urls = urls.collect::<Vec<_>>().concat();
                            ("text/xml", format!("<urlset>{urls}</urlset>"))
                        }
                        "/robots.txt" => ("text/plain", "User-agent: *\nDisallow: /1\n".to_owned()),
                        path => ("text/html", format!("<title>T</title><p>The page {path} of Ærø.")),
                    };
                    let length = body.len();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
                    if stream.write_all((head + &body).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn a_folder_becomes_a_file_and_what_was_skipped_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.txt"), "Anna lives in Rome.\r\n").unwrap();
    fs::write(data.join("b.html"), "<title>B</title><nav>menu</nav><p>Bert lives in Bonn.").unwrap();
    fs::write(data.join("c.pdf"), "%PDF").unwrap();
    let out = folder.path().join("corpus.jsonl");
    let told = answer(&run(collect(&out).arg(&data), b""));
    assert!(told.contains("corpus.jsonl: 2 texts") && told.contains("1 not text") && told.contains("c.pdf"), "{told}");
    let texts: Vec<Value> = rows(&out).iter().map(|row| row["text"].clone()).collect();
    assert_eq!(texts, ["Anna lives in Rome.\n", "Bert lives in Bonn."]);

    let again = folder.path().join("again.jsonl");
    let told = answer(&run(collect(&again).arg(&data).args(["--json", "--limit", "1"]), b""));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["records"], &told["left"]), (&Value::from(1), &Value::from(2)));
    let told = answer(&run(collect(&folder.path().join("3")).arg(&data).arg("--json"), b""));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["skipped"][0]["reason"], &told["skipped"][0]["count"]),
        (&Value::from("not-text"), &Value::from(1))
    );
}

#[test]
fn no_text_exits_with_1_and_wrong_usage_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let output = run(collect(&out).arg(&empty), b"");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!out.exists());

    let message = refusal(&run(collect(&out).arg("no-such-folder"), b""));
    assert!(message.contains("no-such-folder"), "{message}");
    let message = refusal(&run(collect(&out).arg("ftp://example.org/"), b""));
    assert!(message.contains("https://"), "{message}");
    let message = refusal(&run(collect(&out).arg(&empty).arg("--rate=-1"), b""));
    assert!(message.contains("--rate"), "{message}");
    fs::write(&out, "precious").unwrap();
    let message = refusal(&run(collect(&out).arg(&empty), b""));
    assert!(message.contains("exists already"), "{message}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "precious");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else was written");
}

#[test]
fn private_addresses_are_asked_only_where_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let url = website(3) + "/sitemap.xml";
    let output = run(collect(&out).arg(&url), b"");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("--allow-private"));
    let told = answer(&run(collect(&out).arg(&url).args(["--allow-private", "--rate", "0"]), b""));
    assert!(told.contains("2 texts") && told.contains("1 forbidden by robots.txt"), "{told}");
}

#[test]
fn killed_again_and_again_it_gives_the_rows_of_one_run() {
    const PAGES: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let (whole, out) = (folder.path().join("whole"), folder.path().join("out"));
    let url = website(PAGES) + "/sitemap.xml";
    let arguments = [url.as_str(), "--allow-private", "--rate", "0.002"];
    answer(&run(collect(&whole).args(arguments), b""));
    let mut kills = 0;
    for delay in (5..).step_by(3) {
        let mut child = collect(&out).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        let ended = child.wait_with_output().unwrap();
        // It may have been killed behind its last act, with nothing left to do but to leave.
        let done = out.exists() && !folder.path().join("out.state").exists();
        if done {
            break;
        }
        assert_eq!(ended.status.code(), None, "{ended:?}");
        kills += 1;
    }
    assert!(kills > 8, "{kills} kills");
    assert!(rows(&whole).len() > PAGES / 2);
    assert_eq!(rows(&out), rows(&whole));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside the outputs");
}
