import { connectTcp, type ConnectTcpOptions } from './connect-tcp.ts'
import { askedNames } from './name-resolver.ts'
import { describeNetworkError } from './network-error.ts'

/** Whether something listens at a TCP address, and if not, why it can't be connected to: a few words. */
export type TargetProbe =
  { readonly isListening: true } | { readonly isListening: false; readonly why: string }

/**
 * Connects to a TCP address to see whether something listens there, and closes the connection at once.
 *
 * @param options.timeoutMs default 2000, the lookup of a name included
 */
export function probeTarget(
  target: { host: string; port: number },
  options: Pick<ConnectTcpOptions, 'timeoutMs' | 'choose'> = {},
): Promise<TargetProbe> {
  const { promise, resolve } = Promise.withResolvers<TargetProbe>()
  connectTcp(target, { names: askedNames, timeoutMs: 2000, ...options }, (error, socket) => {
    socket?.destroy()
    resolve(error ? { isListening: false, why: describeNetworkError(error) } : { isListening: true })
  })
  return promise
}
