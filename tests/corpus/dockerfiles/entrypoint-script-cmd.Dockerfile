FROM debian:12-slim
COPY --chmod=755 entry.sh /
USER 1000
ENTRYPOINT ["/entry.sh"]
CMD ["nginx", "-g", "daemon off;"]
