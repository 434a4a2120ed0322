/** @type {import('next').NextConfig} */
export default {
  // The lock file above belongs to another package.
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
};
