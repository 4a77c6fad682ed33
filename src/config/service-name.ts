import * as v from 'valibot'
import { ConnectError } from '../errors.ts'

/** What a service may be called: one DNS label in lower case, so that it can become part of a host name. */
const SERVICE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export const ServiceName = v.pipe(v.string(), v.regex(SERVICE_NAME, 'not a service name'))

/** @throws ConnectError BAD_NAME */
export function parseServiceName(text: string): string {
  if (!SERVICE_NAME.test(text)) throw new ConnectError('BAD_NAME', `"${text}" is not a service name`)
  return text
}

export function isServiceName(text: string): boolean {
  return SERVICE_NAME.test(text)
}

/** Makes a service's name the name of a host, for programs that want one: `dev.privateconnect`. */
export const HOST_SUFFIX = '.privateconnect'

/** @returns the service's name, if this is the name of its host; else the text as it is */
export function serviceOfHost(text: string): string {
  return text.endsWith(HOST_SUFFIX) ? text.slice(0, -HOST_SUFFIX.length) : text
}
