//! What an image's history gives away is told by no verb, in no format.

use crate::sandbox::Sandbox;
use crate::scan::image;

/// Values that nobody may read, each in a step that made a layer.
const VALUES: [&str; 5] = [
    "correct-horse-1",
    "battery-staple-2",
    "glass-onion-3",
    "long-and-winding-4",
    "back-seat-5",
];

/// An image that was built with each of them, by builders of each kind.
fn archive(sandbox: &Sandbox, name: &str) -> String {
    let [one, two, three, four, five] = VALUES;
    let path = sandbox.path(name);
    let classic = format!("|1 TOKEN={one} /bin/sh -c pip install --target=/deps jinja2");
    let nop = format!("/bin/sh -c #(nop)  ENV DB_PASSWORD={two} and more");
    let buildkit =
        format!("RUN |2 API_TOKEN={three} A=b c /bin/bash -o pipefail -c make install # buildkit");
    let shellless = format!("RUN |1 API_TOKEN={four} /app/install # buildkit");
    let command = format!("RUN /bin/sh -c curl --password={five} host # buildkit");
    image(
        &path,
        &[
            (
                &classic,
                &[(
                    "deps/jinja2-3.1.3.dist-info/METADATA",
                    "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.3\n",
                )],
            ),
            (&nop, &[("etc/motd", "hello")]),
            (&buildkit, &[("etc/.wh.motd", "")]),
            (
                &shellless,
                &[(
                    "deps/flask-2.2.2.dist-info/METADATA",
                    "Metadata-Version: 2.1\nName: Flask\nVersion: 2.2.2\n",
                )],
            ),
            (
                &command,
                &[(
                    "deps/werkzeug-2.2.2.dist-info/METADATA",
                    "Metadata-Version: 2.1\nName: Werkzeug\nVersion: 2.2.2\n",
                )],
            ),
        ],
    );
    path.display().to_string()
}

#[test]
fn no_verb_tells_the_secrets_of_an_image_s_history() {
    let sandbox = Sandbox::without_engine();
    let (path, other) = (
        archive(&sandbox, "image.tar"),
        archive(&sandbox, "other.tar"),
    );
    // Each with a word that it prints of the steps, so that silence is no proof.
    for (words, says) in [
        (vec!["inside", &path], "a value whose name says"),
        (vec!["inside", &path, "--json"], "named-secret"),
        (vec!["layers", &path], "RUN pip install"),
        (vec!["layers", &path, "--json"], "DB_PASSWORD=…"),
        (vec!["sbom", &path], "pip install"),
        (
            vec!["sbom", &path, "--format", "cyclonedx"],
            "DB_PASSWORD=…",
        ),
        (vec!["sbom", &path, "--format", "spdx"], "DB_PASSWORD=…"),
        (vec!["sbom", &path, "--format", "json"], "DB_PASSWORD=…"),
        (vec!["scan", &path, "--all"], "RUN pip install"),
        (vec!["scan", &path, "--json"], "pip install"),
        (vec!["compare", &path, &other], "Packages"),
        (vec!["compare", &path, &other, "--json"], "packages"),
    ] {
        let ended = sandbox.run(&words);
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
        assert!(ended.stdout.contains(says), "{words:?}: {}", ended.stdout);
        for value in VALUES {
            let told = ended.stdout.contains(value) || ended.stderr.contains(value);
            assert!(!told, "{words:?} tells {value}: {}", ended.stdout);
        }
    }
}
