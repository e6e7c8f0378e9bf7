FROM alpine:3.20
CMD ["one"]
RUN true
CMD ["two"]
ENTRYPOINT ["a"]
ENTRYPOINT ["b"]
