# One image for every process: what runs is the command that docker-compose.yml, or whoever starts it, gives.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY config ./config
COPY libs ./libs
COPY apps ./apps
COPY bin ./bin
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The project's own Node is for machines with an older one; here the base image brings it.
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:24-bookworm-slim
ENV NODE_ENV=production
ENV HOLDFAST_DATA_DIRECTORY=/data
# Within the container only: which address of the machine it becomes is for whoever publishes the port to say.
ENV HOLDFAST_HTTP_HOST=0.0.0.0
WORKDIR /app
# A new volume takes its owner from the folder that it is mounted on, so that nothing needs to run as root.
RUN mkdir -p /data/wal /data/state /data/snapshots /data/archive /data/read-models && chown -R node:node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist/config ./dist/config
COPY --from=build /app/dist/libs ./dist/libs
COPY --from=build /app/dist/apps ./dist/apps
COPY bin ./bin
COPY package.json LICENSE ./
RUN ln -s /app/bin/holdfast.js /usr/local/bin/holdfast && mkdir dist/.compiled && chown node:node dist/.compiled
USER node
RUN node bin/compile-ahead.js
EXPOSE 7400
# The services stop cleanly on SIGTERM as process 1: no shell and no init stands between.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "bin/health.js", "http://127.0.0.1:7400"]
CMD ["node", "dist/apps/holdfast/src/main.js"]
