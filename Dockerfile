# One image for every process; the command decides which one it is.
# Debian, not Alpine: Temporal's native module has no musl build.
FROM node:22.23.3-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY build.mjs prisma.config.ts tsconfig.json tsconfig.build.json ./
COPY prisma prisma
COPY workflows workflows
COPY activities activities
COPY src src
RUN node build.mjs

FROM node:22.23.3-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are the embedded PostgreSQL of `npm start` and a compiler: nothing that runs here.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# Nor does Temporal's client of another platform, Prisma's compiler for another database, its own PostgreSQL, or what
# only debuggers and editors read.
RUN find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-*-linux-gnu" -exec rm -r {} + \
  && find node_modules/prisma node_modules/@prisma -name 'query_compiler_*' ! -name '*_fast_bg.postgresql.*' -delete \
  && find node_modules '(' -name '*.map' -o -name '*.ts' -o -name '*.[cm]ts' ')' -delete \
  && rm -r node_modules/@electric-sql

FROM node:22.23.3-bookworm-slim
# The native Temporal client trusts the system's certificate authorities, which the slim image lacks.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json prisma.config.ts LICENSE ./
COPY prisma prisma
ENV NODE_ENV=production
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
CMD ["node", "--enable-source-maps", "dist/src/api.js"]
