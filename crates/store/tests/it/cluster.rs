//! A `PostgreSQL` of the tests' own, in a temporary folder and on a socket there, which ends with them.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

struct Cluster {
    socket: PathBuf,
    programs: PathBuf,
}

/// Whose cluster it is where the tests run as root, which `PostgreSQL` refuses to.
const NOBODY: u32 = 65534;

/// How their folders are called.
const PREFIX: &str = "nomen-pg-";

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// An empty database, by its address.
pub fn database() -> String {
    let cluster = CLUSTER.get_or_init(start);
    let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let socket = cluster.socket.to_str().unwrap();
    let made = Command::new(cluster.programs.join("createdb")).args(["-h", socket, "-U", "nomen", &name]).status();
    assert!(made.unwrap().success());
    format!("postgres://nomen@localhost/{name}?host={socket}")
}

fn start() -> Cluster {
    let programs = programs();
    clear_away();
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir().unwrap().keep();
    let root = fs::metadata(&folder).unwrap().uid() == 0;
    if root {
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let data = folder.join("data");
    let made = as_somebody(root, &programs.join("initdb"))
        .args(["--no-sync", "-U", "nomen", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-D"])
        .arg(&data)
        .stdout(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let (started, up) = mpsc::channel();
    let socket = folder.clone();
    let postgres = programs.join("postgres");
    // The kernel ends the cluster with the thread that started it, so that thread waits for the end of the process.
    thread::spawn(move || {
        let child = as_somebody(root, &postgres)
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "max_connections=300", "-c", "fsync=off", "-k"])
            .arg(&socket)
            .stdout(Stdio::null())
            .stderr(fs::File::create(socket.join("log")).unwrap())
            .spawn();
        started.send(child.is_ok()).unwrap();
        let _ = child.unwrap().wait();
    });
    assert!(up.recv().unwrap());
    let begun = Instant::now();
    let ready = || {
        let asked =
            Command::new(programs.join("pg_isready")).arg("-q").arg("-h").arg(&folder).args(["-U", "nomen"]).status();
        asked.unwrap().success()
    };
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(60), "PostgreSQL does not start; see {}/log", folder.display());
        thread::sleep(Duration::from_millis(50));
    }
    Cluster { socket: folder, programs }
}

/// Removes what clusters left that have ended: the process that knew of them ended first.
fn clear_away() {
    for folder in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let path = folder.path();
        if folder.file_name().to_string_lossy().starts_with(PREFIX)
            && path.join("data/PG_VERSION").exists()
            && !path.join("data/postmaster.pid").exists()
        {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// A program that ends with the thread that starts it, as nobody where that thread is root's.
fn as_somebody(root: bool, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if root {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.arg(program).current_dir("/");
    command
}

/// Debian keeps the programs of each version in a folder of its own.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.map(|version| version.unwrap().path().join("bin")).collect())
        .unwrap_or_default();
    found.retain(|programs| programs.join("initdb").exists());
    found.sort();
    found.pop().expect("these tests need PostgreSQL: apt-get install postgresql")
}
