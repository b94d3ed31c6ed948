# Two stages: wheels are built in the first, the second holds Python, the wheels and nothing to build with.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY gateway ./gateway
COPY policies ./policies
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[codings]'

FROM python:3.11-slim-bookworm
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index /wheels/*.whl \
    && groupadd --system --gid 65532 gateway \
    && useradd --system --uid 65532 --gid 65532 --home-dir /var/lib/gateway --create-home --shell /usr/sbin/nologin gateway
# Runs with a read-only root: only the state directory and /tmp (a tmpfs) are written.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /etc/gateway
VOLUME ["/var/lib/gateway"]
EXPOSE 8443 9443
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["gateway", "doctor", "--live", "-c", "/etc/gateway/gateway.yaml"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["gateway"]
CMD ["serve", "-c", "/etc/gateway/gateway.yaml"]
