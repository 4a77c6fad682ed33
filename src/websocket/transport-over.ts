import type { TransportOver } from './transport.ts'
import { wsTransport } from './ws-transport.ts'

/** What carries the messages once ws has shaken hands: the one place where it is chosen. */
export const transportOver: TransportOver = wsTransport
