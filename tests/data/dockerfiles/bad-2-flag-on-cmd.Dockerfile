FROM scratch
CMD --x
