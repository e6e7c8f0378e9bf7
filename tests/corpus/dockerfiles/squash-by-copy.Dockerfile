FROM ubuntu:22.04 AS fat
RUN apt-get update && apt-get install -y python3 && apt-get clean
RUN rm -rf /usr/share/doc /usr/share/man
FROM scratch
COPY --from=fat / /
ENTRYPOINT ["/usr/bin/python3"]
CMD ["python3", "/app.py"]
