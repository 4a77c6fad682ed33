import { ownTransport } from '../../../src/websocket/own-transport.ts'
import type { TransportOver } from '../../../src/websocket/transport.ts'

/** The one that was not chosen. */
export const transportOver: TransportOver = ownTransport
