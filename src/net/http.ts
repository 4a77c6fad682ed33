/**
 * Loads node:http, without what an `import` of it loads besides: the named exports of the ES module bring in
 * all of undici, which takes longer than the rest of `connect daemon status`.
 */
export function loadHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http')
}

/** Loads node:https, as loadHttp does node:http. */
export function loadHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}
