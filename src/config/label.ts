import { hostname } from 'node:os'

/** What a machine is called until someone says otherwise: its short host name. */
export function defaultLabel(): string {
  return hostname().split('.')[0] || 'unnamed'
}
