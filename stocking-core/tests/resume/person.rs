//! Somebody at a client, who counts.

use stocking_core::{
    Context, Result, Router,
    testing::{Message, TestClient, TestServer},
};

async fn echo(_: Context, body: u64) -> Result<u64> {
    Ok(body)
}

pub(crate) fn router() -> Router {
    Router::new().on("echo", echo)
}

/// A client in a session, with what it has to know to resume it.
pub(crate) struct Person {
    pub(crate) client: TestClient,
    pub(crate) id: String,
    pub(crate) key: String,
    /// Frames of the server that were taken in.
    pub(crate) got: u64,
    pub(crate) attempt: u64,
}

impl Person {
    /// Opens a session.
    pub(crate) fn open(server: &TestServer) -> Self {
        let client = server.connect();
        client.send("0,0,");
        Self::opened(client)
    }

    /// In the session that the client was just told.
    pub(crate) fn opened(client: TestClient) -> Self {
        let texts = client.texts();
        let [text] = &texts[..] else { panic!("one answer, not {texts:?}") };
        let parts: Vec<&str> = text.split('"').collect();
        assert_eq!((parts[0], parts[1], parts[5]), ("0,0,{", "id", "key"), "{text}");
        let (id, key) = (parts[3].to_owned(), parts[7].to_owned());
        Self { client, id, key, got: 0, attempt: 0 }
    }

    /// What has come, the counted frames counted.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        let texts = self.client.texts();
        self.got += texts.iter().filter(|text| text.starts_with(['1', '4', '5', '6'])).count() as u64;
        texts
    }

    /// The request to resume.
    pub(crate) fn request(&mut self) -> String {
        self.attempt += 1;
        let Self { id, key, got, attempt, .. } = self;
        format!(r#"0,1,{{"id":"{id}","key":"{key}","got":{got},"try":{attempt}}}"#)
    }

    /// Asks for the session on another connection. The answer is unread.
    pub(crate) fn ask(&mut self, server: &TestServer) -> TestClient {
        let client = server.connect();
        client.send(&self.request());
        client
    }

    /// Resumes on another connection: how many of our frames were taken in, and what follows.
    pub(crate) fn resume(&mut self, server: &TestServer) -> (u64, Vec<String>) {
        self.client = self.ask(server);
        let mut texts = self.texts();
        assert!(!texts.is_empty(), "no answer");
        let answer = texts.remove(0);
        let taken = answer.strip_prefix(r#"0,1,{"got":"#).and_then(|rest| rest.strip_suffix('}'));
        (taken.unwrap_or_else(|| panic!("not resumed: {answer}")).parse().unwrap(), texts)
    }

    pub(crate) fn is_refused(&mut self, server: &TestServer) -> bool {
        Self::opened(self.ask(server)).id != self.id
    }
}

/// The code of the close frame, where the last thing that came is one.
pub(crate) fn close_code(client: &TestClient) -> Option<u16> {
    client.receive().into_iter().rev().find_map(|message| match message {
        Message::Close(code, _) => Some(code),
        _ => None,
    })
}
