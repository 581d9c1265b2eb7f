# The app, for a network of one's own: on the processor, as nobody in particular, with nothing to write to but /data and /tmp.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Every file is the one that was locked, torch's build for processors among them, which PyPI does not have.
ARG TORCH_BUILDS=https://download.pytorch.org/whl/cpu
COPY requirements.lock ./
RUN pip install --require-hashes --extra-index-url "$TORCH_BUILDS" -r requirements.lock

COPY app.py README.md LICENSE ./
COPY gencore ./gencore
COPY dashboard ./dashboard
COPY checkpoints ./checkpoints

RUN useradd --uid 1000 --no-create-home --shell /usr/sbin/nologin lab && mkdir /data && chown lab /data
USER lab
# What is trained or measured goes below the working folder, so that is the volume; Gradio's own files go to /tmp.
WORKDIR /data
VOLUME /data
ENV PYTHONPATH=/app HOME=/tmp GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 TRILEMMA_PUBLIC=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"GRADIO_SERVER_PORT\"]}/healthz', timeout=4)"]
CMD ["python", "/app/app.py"]
