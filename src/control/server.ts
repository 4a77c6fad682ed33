import { chmodSync, lstatSync, rmSync, type Stats } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import path from 'node:path'
import * as v from 'valibot'
import { shortSocketFolder, type Instance } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { loadHttp } from '../process/http.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import {
  ExposeRequest,
  type AgentStatus,
  type CarriesReply,
  type ExposeReply,
  type UnexposeReply,
} from './schema.ts'

/** What the agent does when it is asked. */
export interface AgentControl {
  status(): AgentStatus
  /** The hops of the stream whose connection to its target comes from this local port, if there is one. */
  hopsOf(port: number): number | undefined
  expose(name: string, request: ExposeRequest): Promise<ExposeReply>
  unexpose(name: string): Promise<UnexposeReply>
}

export interface ControlServer {
  /**
   * Opens the socket again if its file was deleted or replaced, as by what cleans up /tmp.
   *
   * @throws ConnectError WRITE_FAILED
   */
  look(): Promise<void>
  close(): Promise<void>
}

const MAX_BODY_BYTES = 16 * 1024

/**
 * Opens the agent's socket. The caller holds the instance's lock, so a socket file that is there already is a dead
 * agent's.
 *
 * @throws ConnectError WRITE_FAILED if it can't be made
 */
export async function startControlServer(instance: Instance, agent: AgentControl): Promise<ControlServer> {
  const { socketPath } = instance
  let open: Open | undefined = await listen(socketPath, agent)
  return {
    async look() {
      if (open && isInPlace(socketPath, open)) return
      // What is asked of it at the moment is still answered.
      open?.server.close()
      open = undefined
      open = await listen(socketPath, agent)
    },
    async close() {
      const server = open?.server
      // Closing it would remove the file of that name, which is another agent's by now.
      if (open && !isInPlace(socketPath, open)) server?.unref()
      else await new Promise<void>((done) => (server ? server.close(() => done()) : done()))
    },
  }
}

/** A server that listens, and the file that it listens at; none on Windows, where a pipe has no file. */
interface Open {
  readonly server: Server
  readonly inode: Pick<Stats, 'dev' | 'ino'> | undefined
}

async function listen(socketPath: string, agent: AgentControl): Promise<Open> {
  const isPipe = process.platform === 'win32'
  const server = loadHttp().createServer((request, response) => void answer(agent, request, response))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  try {
    if (path.dirname(socketPath) === shortSocketFolder())
      ensurePrivateFolder(shortSocketFolder(), { inSharedFolder: true })
    if (!isPipe) rmSync(socketPath, { force: true })
    server.listen(socketPath, resolve)
    await promise
    // Not needed with the agent's umask of 077; said again for whoever starts it otherwise.
    if (!isPipe) chmodSync(socketPath, 0o600)
    return { server, inode: isPipe ? undefined : lstatSync(socketPath) }
  } catch (error) {
    server.close()
    throw new ConnectError('WRITE_FAILED', `Could not open ${socketPath}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** What can't be looked at is as it was. */
function isInPlace(socketPath: string, { inode }: Open): boolean {
  try {
    const found = lstatSync(socketPath, { throwIfNoEntry: false })
    return inode === undefined || (inode.dev === found?.dev && inode.ino === found.ino)
  } catch {
    return true
  }
}

async function answer(
  agent: AgentControl,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('connection', 'close')
  response.setHeader('content-type', 'application/json')
  try {
    const body = await route(agent, request)
    response.end(JSON.stringify(body))
  } catch (error) {
    const code = error instanceof ConnectError ? error.code : 'HUB_ERROR'
    response.statusCode = 400
    response.end(JSON.stringify({ error: { code, message: messageOf(error) } }))
  }
}

async function route(agent: AgentControl, request: IncomingMessage): Promise<unknown> {
  const [, version, kind, name, ...rest] = (request.url ?? '').split('/')
  if (version === 'v1' && rest.length === 0) {
    if (request.method === 'GET' && kind === 'status' && name === undefined) return agent.status()
    if (request.method === 'GET' && kind === 'carries' && name !== undefined)
      return carriesReply(agent.hopsOf(Number(name)))
    if (kind === 'services' && name !== undefined) {
      const service = parseServiceName(name)
      if (request.method === 'PUT')
        return agent.expose(service, v.parse(ExposeRequest, await readBody(request)))
      if (request.method === 'DELETE') return agent.unexpose(service)
    }
  }
  throw new ConnectError('BAD_VALUE', `There is no ${request.method} ${request.url}`)
}

function carriesReply(hops: number | undefined): CarriesReply {
  return hops === undefined ? { carries: false } : { carries: true, hops }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > MAX_BODY_BYTES) throw new ConnectError('BAD_VALUE', 'The request is too large')
  }
  return JSON.parse(text)
}
