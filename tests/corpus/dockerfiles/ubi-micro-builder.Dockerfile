FROM registry.access.redhat.com/ubi9/ubi:9.4 AS ubi
RUN mkdir -p /mnt/rootfs
RUN dnf install --installroot /mnt/rootfs nginx-core --releasever 9 --setopt install_weak_deps=false --nodocs -y && \
    dnf --installroot /mnt/rootfs clean all && \
    rpm -e --root /mnt/rootfs --nodeps setup

FROM registry.access.redhat.com/ubi9/ubi-micro:9.4
COPY --from=ubi /mnt/rootfs/ /
USER 1001
EXPOSE 8080
CMD ["nginx", "-g", "daemon off;"]
