import type { TransportOver } from '../../../src/websocket/transport.ts'
import { wsTransport } from './ws-transport.ts'

/** The one that was not chosen. */
export const transportOver: TransportOver = wsTransport
