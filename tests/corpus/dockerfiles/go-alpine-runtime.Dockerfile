FROM golang:1.20-alpine as build-env
RUN apk --no-cache add build-base git gcc
ADD . /src
RUN cd /src && go build -o goapp

FROM alpine
WORKDIR /app
COPY --from=build-env /src/goapp /app/
ENTRYPOINT ./goapp
