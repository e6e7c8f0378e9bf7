FROM golang:1.25
RUN go install github.com/a/b@v1.2.3
RUN go install github.com/c/d@latest github.com/e/f
RUN go get github.com/g/h
RUN go install ./cmd/...
RUN go build -o /x . && go run github.com/i/j@latest
