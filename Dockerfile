# Two images: `exporter`, the default, and `demo`, which can play the SaaS that is watched as well.
# Tags are pinned; `docker buildx imagetools inspect python:3.13.14-slim-trixie` has the digest for who pins that too.

FROM python:3.13.14-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/ requirements/
# Who builds is locked as well: in an environment of its own pip would take the newest.
RUN pip install --require-hashes -r requirements/build.lock
RUN pip wheel --no-build-isolation --require-hashes -r requirements/exporter.lock -w /wheels
COPY pyproject.toml README.md LICENSE ./
COPY exporter/ exporter/
# The package has links to these three.
COPY docs/runbooks/ docs/runbooks/
COPY prometheus/ prometheus/
COPY alertmanager/ alertmanager/
RUN pip wheel --no-build-isolation --no-deps -w /wheels .
RUN python -m venv --without-pip /opt/exporter
RUN pip --python /opt/exporter/bin/python install --no-index --no-deps /wheels/*.whl

FROM build AS build-demo
RUN pip wheel --no-build-isolation --require-hashes -r requirements/demo.lock -w /wheels
RUN pip --python /opt/exporter/bin/python install --no-index --no-deps /wheels/*.whl

FROM python:3.13.14-slim-trixie AS runtime
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chatterfy-exporter" \
      org.opencontainers.image.description="Prometheus exporter for Chatterfy: probes and business metrics" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/exporter/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CHATTERFY_REVISION=$REVISION
# What the exporter keeps: all that it ever writes. The user has no name, so that nothing depends on one.
RUN install -d -o 65532 -g 65532 /var/lib/chatterfy-exporter
WORKDIR /var/lib/chatterfy-exporter
VOLUME /var/lib/chatterfy-exporter
USER 65532:65532
EXPOSE 9877 9878
# /ready is 200 while the exporter itself works, whatever is down; /health would say that the app is ill.
HEALTHCHECK --interval=60s --timeout=15s --start-period=60s --start-interval=5s --retries=3 \
  CMD ["chatterfy-exporter", "health", "--url", "http://127.0.0.1:9877/ready", "--deadline", "3s"]
ENTRYPOINT ["chatterfy-exporter"]

FROM runtime AS demo
COPY --from=build-demo /opt/exporter /opt/exporter
CMD ["traffic", "--listen", "0.0.0.0"]

FROM runtime AS exporter
COPY --from=build /opt/exporter /opt/exporter
CMD ["serve", "--listen", "0.0.0.0:9877"]
