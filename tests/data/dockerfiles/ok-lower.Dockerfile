from scratch
copy a /a
cmd ["/a"]
