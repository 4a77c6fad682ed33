import { ownTransport } from './own-transport.ts'
import type { TransportOver } from './transport.ts'

/** What carries the messages once ws has shaken hands: the one place where it is chosen. */
export const transportOver: TransportOver = ownTransport
