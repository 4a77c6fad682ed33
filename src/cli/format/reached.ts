import { formatTarget } from '../../config/target.ts'
import { printable } from '../../text/printable.ts'

/** A service, and where it is reached. */
export interface ShownPlace {
  readonly service: { readonly name: string; readonly label: string; readonly online: boolean }
  readonly addresses: readonly string[]
  readonly port: number
  readonly because: string | undefined
  readonly socketPath: string | undefined
}

export function formatReached({ service, addresses, port, because, socketPath }: ShownPlace): string[] {
  const from = `${printable(service.label)}${service.online ? '' : ', which is not connected now'}`
  const [host = ''] = addresses
  // Both of its addresses lead here.
  const shown = addresses.length > 1 ? 'localhost' : host
  const place = socketPath === undefined ? { host: shown, port } : { path: socketPath }
  return [
    `[ok] ${service.name} (from ${from}) is at ${formatTarget(place)}`,
    ...(because === undefined ? [] : [`  ${because}, so it is ${port}`]),
  ]
}

/** The same for --json. */
export function reachedDocument({ service, addresses, port, because, socketPath }: ShownPlace): object {
  return {
    name: service.name,
    label: service.label,
    host: addresses[0] ?? null,
    port: socketPath === undefined ? port : null,
    addresses,
    socket: socketPath ?? null,
    online: service.online,
    because: because ?? null,
  }
}
