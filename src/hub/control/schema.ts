import path from 'node:path'
import * as v from 'valibot'
import { socketPathFor } from '../../config/instance.ts'

/** The hub's local API, for commands on its machine: HTTP over a Unix socket, JSON bodies. */

/** The socket of the hub that runs on this data folder. */
export function hubSocketPath(folder: string): string {
  return socketPathFor(path.join(folder, 'hub.sock'))
}

/** DELETE /v1/agents/ID or /v1/tokens/ID: the revocation is in effect, saved or not yet, and why not. */
export const RevokeReply = v.variant('saved', [
  v.object({ saved: v.literal(true) }),
  v.object({ saved: v.literal(false), reason: v.string() }),
])
export type RevokeReply = v.InferOutput<typeof RevokeReply>

/** With status 404: there is nothing with that id. */
export const NOT_THERE = 404
