// Given to Node.js by --import: the program's links run on the transport that was not chosen.
import { registerHooks } from 'node:module'

const CHOICE = '/dist/websocket/transport-over.js'

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    if (!resolved.url.endsWith(CHOICE)) return resolved
    return { url: new URL('transport-over.ts', import.meta.url).href, shortCircuit: true }
  },
})
