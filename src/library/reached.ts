import type { Duplex } from 'node:stream'
import type { InstanceOptions } from './instance-options.ts'

export interface ReachOptions extends InstanceOptions {
  /** Closes it, as `close()` does. */
  readonly signal?: AbortSignal | undefined
  /** How long a new connection waits while there is no link to the hub, in ms; default 15,000. */
  readonly holdMs?: number | undefined
  /** Gets the lines that `connect reach` prints: that the link was lost, and came back. Default: nobody. */
  readonly log?: ((line: string) => void) | undefined
}

export interface ConnectOptions {
  /** Gives up, as long as the connection isn't there. */
  readonly signal?: AbortSignal | undefined
}

export interface ListenOptions {
  /** Default 0: a free one. */
  readonly port?: number | undefined
  /** Address of this machine; default both loopbacks, `127.0.0.1` and `::1`. */
  readonly host?: string | undefined
}

/** A service of the workspace, as this program reaches it. */
export interface Reached extends AsyncDisposable {
  /** What the service is exposed as. */
  readonly name: string
  /** The port of the target on the machine that exposes it; undefined if that is a Unix socket. */
  readonly port: number | undefined
  /** What the machine that exposes it is called. */
  readonly label: string
  /** Whether that machine was connected when this was made. */
  readonly online: boolean
  /**
   * Opens a connection to the service.
   *
   * Its two directions end by themselves: after `end` it can still be written to, until `end()` is called. A
   * connection that is cut short emits `error`, a ConnectError, and never `end`. `close` comes once the
   * service's machine has all that was written.
   *
   * @throws ConnectError HUB_UNREACHABLE, AGENT_OFFLINE, TARGET_UNREACHABLE, SERVICE_UNKNOWN,
   * CONNECTION_RESET, and what `closed` was rejected with; the signal's reason
   */
  connect(options?: ConnectOptions): Promise<Duplex>
  /**
   * Opens a local port that leads to the service, for what only takes a host and a port.
   *
   * @throws ConnectError PORT_IN_USE, CANNOT_LISTEN, CONNECTION_RESET once this is closed, and what `closed`
   * was rejected with
   */
  listen(options?: ListenOptions): Promise<LocalListener>
  /** Settles once this is closed; rejected if a human must act, by a ConnectError: REVOKED, say. */
  readonly closed: Promise<void>
  /** Resets all connections, closes all ports, and leaves the hub. Again it does no harm. */
  close(): Promise<void>
}

/** A local port that leads to a service. */
export interface LocalListener extends AsyncDisposable {
  /** The first of the addresses, to connect to. */
  readonly host: string
  readonly port: number
  /** All that are listened on. */
  readonly addresses: readonly string[]
  /** Closes the port, and resets the connections that came by it. */
  close(): Promise<void>
}
