# anyport as an image (docs/deploy.md):
#
#     docker build -t anyport .
#     docker run --rm -p 9090:9090 anyport      # the demonstration, unless a configuration is mounted
#
# One Node.js, twice: the first image also has the compiler, make and Python that the addon is built with.
ARG BUILD_IMAGE=node:20-bookworm
ARG NODE_IMAGE=node:20-bookworm-slim
# Where /opt/anyport comes from; an image that has it already spares the build.
ARG PROGRAM=build

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# Node's headers are those of this image; node-gyp would download them.
RUN export npm_config_nodedir="$(dirname "$(dirname "$(command -v node)")")" JOBS=max \
  && npm run build \
  && npm prune --omit=dev --ignore-scripts \
  && mkdir -p /opt/anyport/build/Release \
  && cp build/Release/anyport.node /opt/anyport/build/Release \
  && cp -r bin dist node_modules package.json LICENSE /opt/anyport

FROM ${PROGRAM} AS program

FROM ${NODE_IMAGE}
COPY --from=program /opt/anyport /opt/anyport
COPY packaging/docker/health.mjs /opt/anyport/
COPY packaging/docker/anyport.yaml /etc/anyport/
ENV NODE_ENV=production PATH=/opt/anyport/bin:$PATH
# Where a node of a cluster keeps its last good state; mount something to keep it.
RUN mkdir -p /var/lib/anyport && chown 10001:10001 /var/lib/anyport
WORKDIR /etc/anyport
# A number: Kubernetes can tell that it is not root's.
USER 10001:10001
EXPOSE 9090 9091 9092
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "/opt/anyport/health.mjs"]
ENTRYPOINT ["anyport"]
CMD ["run"]
