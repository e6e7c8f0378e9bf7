FROM ocaml/opam:debian-12-ocaml-5.1 AS build
WORKDIR /home/opam/app
COPY --chown=opam:opam *.opam ./
RUN sudo apt-get update && sudo apt-get install -y --no-install-recommends libgmp-dev pkg-config
RUN opam install . --deps-only
COPY --chown=opam:opam . .
RUN eval $(opam env) && dune build --release
FROM debian:12-slim
COPY --from=build /home/opam/app/_build/default/bin/main.exe /usr/local/bin/app
USER 2000
ENTRYPOINT ["app"]
