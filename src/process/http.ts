/**
 * node:http without what an `import` of it loads besides: the named exports of the ES module bring in all of undici,
 * which takes longer than the rest of `connect daemon status`.
 */
export const http = process.getBuiltinModule('node:http')
