# TODO: write me
# hadolint global ignore=DL3006
