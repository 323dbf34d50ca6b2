//! Synapse: a Matrix server, from the Python environment that the check makes (or the one that `RELCOMM_SYNAPSE` names).

use super::process::{Missing, free_port, stop, until};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Who posts.
const NAME: &str = "releases";
const PASSWORD: &str = "pass-of-releases";

/// A running Synapse on loopback, with one user.
#[derive(Debug)]
pub(crate) struct Synapse {
    child: Child,
    port: u16,
    client: reqwest::Client,
    /// The user's access token.
    pub(crate) token: String,
}

impl Synapse {
    /// Starts one below `directory` that takes so many messages at once before it asks for a pause, and registers its user.
    pub(crate) async fn start(directory: &Path, burst: u32) -> Result<Self, Missing> {
        let programs = programs()?;
        let (home, port) = (directory.join("synapse"), free_port());
        fs::create_dir_all(&home).expect("a directory");
        let config = home.join("homeserver.yaml");
        fs::write(&config, configuration(&home, port, burst)).expect("the configuration");
        let server = || {
            let mut command = Command::new(programs.join("python"));
            command.args(["-m", "synapse.app.homeserver", "-c"]).arg(&config).stdin(Stdio::null());
            command
        };
        let keys = server().arg("--generate-keys").output().expect("synapse makes its keys");
        assert!(keys.status.success(), "{}", String::from_utf8_lossy(&keys.stderr));
        let log = File::create(home.join("log")).expect("a log");
        let errors = log.try_clone().expect("a log");
        let child = server().stdout(log).stderr(errors).spawn().expect("synapse starts");
        // reqwest takes the provider of the process; this process is a test's own.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut synapse = Self { child, port, client: reqwest::Client::new(), token: String::new() };
        until("synapse listens", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok());
        let registered = Command::new(programs.join("register_new_matrix_user"))
            .args(["-u", NAME, "-p", PASSWORD, "--no-admin", "-c"])
            .arg(&config)
            .arg(synapse.url())
            .output()
            .expect("the registration runs");
        assert!(registered.status.success(), "{}", String::from_utf8_lossy(&registered.stdout));
        let identifier = json!({"type": "m.id.user", "user": NAME});
        let login = json!({"type": "m.login.password", "identifier": identifier, "password": PASSWORD});
        let answer = synapse.call("POST", "login", Some(&login)).await;
        synapse.token = text(&answer, "access_token");
        Ok(synapse)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a room, and says which.
    pub(crate) async fn room(&self) -> String {
        text(&self.call("POST", "createRoom", Some(&json!({"preset": "private_chat"}))).await, "room_id")
    }

    /// The messages of a room, oldest first: event id and content.
    pub(crate) async fn messages(&self, room: &str) -> Vec<(String, Value)> {
        let answer = self.call("GET", &format!("rooms/{room}/messages?dir=f&limit=1000"), None).await;
        let events = answer["chunk"].as_array().expect("events").iter();
        let messages = events.filter(|event| event["type"] == "m.room.message");
        messages.map(|event| (text(event, "event_id"), event["content"].clone())).collect()
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let method = method.parse().expect("a method");
        let url = format!("{}/_matrix/client/v3/{path}", self.url());
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let body = answer.bytes().await.expect("a body");
        assert!(status.is_success(), "{path}: {status}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }
}

impl Drop for Synapse {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Where Python and the programs of Synapse are.
fn programs() -> Result<PathBuf, Missing> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/synapse");
    let programs = std::env::var_os("RELCOMM_SYNAPSE").map_or(made, PathBuf::from).join("bin");
    if programs.join("register_new_matrix_user").is_file() {
        Ok(programs)
    } else {
        Err(Missing(format!("there is no Synapse in {}", programs.display())))
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no `{key}`")).to_owned()
}

fn configuration(home: &Path, port: u16, burst: u32) -> String {
    let home = home.display();
    format!(
        r#"server_name: relcomm.test
pid_file: "{home}/pid"
listeners: [{{ port: {port}, bind_addresses: ["127.0.0.1"], type: http, tls: false, resources: [{{ names: [client] }}] }}]
database: {{ name: sqlite3, args: {{ database: "{home}/db" }} }}
media_store_path: "{home}/media"
signing_key_path: "{home}/signing.key"
registration_shared_secret: of-this-test
macaroon_secret_key: of-this-test
form_secret: of-this-test
trusted_key_servers: []
report_stats: false
rc_message: {{ per_second: 0.1, burst_count: {burst} }}
"#
    )
}
