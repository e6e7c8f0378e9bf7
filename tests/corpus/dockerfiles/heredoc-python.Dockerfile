FROM python:3.12-slim
RUN <<EOF
#!/usr/bin/env python
import sys, pathlib
pathlib.Path("/version").write_text(sys.version)
sudo = "not a command"
EOF
RUN python3 <<PY
print("apt-get install nothing")
PY
USER 1000:1000
CMD ["python"]
