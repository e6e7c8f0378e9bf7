FROM python:3.12-slim
RUN pip install flask==3.0.0 requests~=2.31 'django>=4,<5' ./local-pkg git+https://github.com/x/y.git@v1 wheel
RUN pip install -e .
RUN pip install --no-cache-dir -c constraints.txt numpy
RUN python3 -m pip install --upgrade pip setuptools
RUN pip install -r requirements.txt -r dev.txt && rm -rf /root/.cache/pip
RUN pip3 install --no-cache-dir "uvicorn[standard]"
RUN uv pip install --system ruff
RUN pip download requests
