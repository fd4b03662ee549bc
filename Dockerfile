FROM debian:12 AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates clang cmake lld libgflags-dev libgtest-dev libjemalloc-dev liblz4-dev libprotobuf-dev libssl-dev \
      libxxhash-dev ninja-build nlohmann-json3-dev pkg-config protobuf-compiler zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cmake --preset release -DCAIRN_BUILD_TESTS=OFF && cmake --build build --target cairn-server cairn-tools

FROM debian:12-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libgflags2.2 liblz4-1 libprotobuf32 libssl3 libstdc++6 libxxhash0 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --no-create-home cairn \
    && mkdir /data && chown cairn:cairn /data
COPY --from=build /source/build/bin/ /usr/local/bin/
COPY tools/container/entrypoint.sh tools/container/health.sh /usr/local/lib/cairn/
VOLUME /data
WORKDIR /data
EXPOSE 6379
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/lib/cairn/health.sh"]
ENTRYPOINT ["/usr/local/lib/cairn/entrypoint.sh"]
CMD ["cairn-server"]
