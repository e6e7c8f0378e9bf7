FROM golang:latest
RUN go install github.com/golangci/golangci-lint/cmd/golangci-lint@latest
RUN go install golang.org/x/vuln/cmd/govulncheck@v1.1.3
RUN curl -sSfL https://raw.githubusercontent.com/example/tool/master/install.sh | sh -s -- -b /usr/local/bin v1.2.3
RUN GO111MODULE=on go get github.com/vektra/mockery/v2
WORKDIR /src
ENTRYPOINT ["make"]
