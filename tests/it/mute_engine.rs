//! An engine that takes a connection and says nothing: a signal ends the wait for it at once.

use std::os::unix::net::UnixListener;

use rustix::process::Signal;

use crate::sandbox::Sandbox;

#[test]
fn ctrl_c_ends_the_wait_for_an_engine_that_says_nothing() {
    let verbs: [&[&str]; 8] = [
        &["check", "first-build"],
        &["check", "first-build", "--dir", "mine"],
        &["bases"],
        &["doctor"],
        &["layers", "an-image"],
        &["scan", "an-image"],
        &["sbom", "an-image"],
        &["trace", "an-image"],
    ];
    for verb in verbs {
        let sandbox = Sandbox::without_engine();
        let socket = sandbox.path("engine.sock");
        let mute = UnixListener::bind(&socket).expect("a socket");
        let address = format!("unix://{}", socket.display());
        let sandbox = sandbox.with("DOCKER_HOST", &address);
        sandbox.write("mine/Dockerfile", "FROM scratch\n");
        let running = sandbox.start(verb);
        // It waits from here on; held, so that the other end sees no end.
        let asked = mute.accept().expect("it asks");
        running.signal(Signal::INT);
        let ended = running.end();
        // Whoever waits to the end says that no engine answers, with 4.
        assert_eq!(ended.code, Some(130), "{verb:?}: {}", ended.shown());
        // Nobody is to wait for it at the end of the sandbox either.
        drop((asked, mute));
    }
}
