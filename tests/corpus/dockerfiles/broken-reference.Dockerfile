FROM Alpine:3.20
FROM alpine:3.20:latest AS two
FROM registry.example.com/UPPER/app:1
