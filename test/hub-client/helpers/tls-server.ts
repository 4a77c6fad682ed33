import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { onTestFinished } from 'vitest'
import type { HubAddress } from '../../../src/hub-client/connection.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import type { ConnectError } from '../../../src/errors.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'
import { pemOf, type IssuedCertificate } from '../../helpers/certificates.ts'

/** Listens until the test ends. @returns the port */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => void server.close(() => resolve())))
  return (server.address() as AddressInfo).port
}

/** An HTTPS server that is no hub. @returns the port */
export function serving(certificate: IssuedCertificate, options = {}): Promise<number> {
  return listening(
    createServer({ ...pemOf(certificate), ...options }, (_request, response) => response.end('hello')),
  )
}

/** Why a hub could not be asked who it is. */
export function failureOf(address: HubAddress): Promise<ConnectError> {
  return rejectionOf(new HubClient(address).info())
}
