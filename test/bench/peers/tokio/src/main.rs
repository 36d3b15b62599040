// echo: Tokio as its tutorial teaches it: a task per client, read, write_all.
// The current-thread runtime, for all servers have one core and it is the
// cheaper one there.

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

const BUFFER_SIZE: usize = 64 * 1024;

async fn serve(mut client: UnixStream) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let bytes = &mut buffer[..count];
        // Branch-free in the standard library; a vector loop at opt-level 3.
        bytes.make_ascii_uppercase();
        client.write_all(bytes).await?;
    }
}

async fn listen(path: &str) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    loop {
        let (client, _) = listener.accept().await?;
        // A client that goes away is its own affair.
        tokio::spawn(async { serve(client).await.unwrap_or(()) });
    }
}

fn main() -> io::Result<()> {
    let path = std::env::args()
        .nth(1)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "usage: echo SOCKET"))?;
    std::fs::remove_file(&path).unwrap_or(());
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(listen(&path))
}
