import type { IncomingMessage, ServerResponse } from 'node:http'
import * as v from 'valibot'
import type { Instance } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { serveLocally, type LocalServer } from '../net/local/serve.ts'
import { readBody } from '../net/read-body.ts'
import {
  ExposeRequest,
  KeepRequest,
  TakeBackRequest,
  type AgentStatus,
  type PortReply,
  type ExposeReply,
  type KeepReply,
  type OffersReply,
  type UnreachReply,
  type UnexposeReply,
} from './schema.ts'

/** What the agent does when it is asked. */
export interface AgentControl {
  status(): AgentStatus
  /** What the workspace offers. @throws ConnectError if the hub does not say */
  offers(): Promise<OffersReply>
  /** The hops of the stream whose connection to its target comes from this local port, if there is one. */
  hopsOf(port: number): number | undefined
  expose(name: string, request: ExposeRequest): Promise<ExposeReply>
  keep(name: string, request: KeepRequest): Promise<KeepReply>
  unreach(name: string, request: TakeBackRequest): Promise<UnreachReply>
  unexpose(name: string, request: TakeBackRequest): Promise<UnexposeReply>
}

const MAX_BODY_BYTES = 16 * 1024

/**
 * Opens the agent's socket. The caller holds the instance's lock, so a socket file that is there already is
 * a dead agent's.
 *
 * @throws ConnectError WRITE_FAILED if it can't be made
 */
export async function startControlServer(instance: Instance, agent: AgentControl): Promise<LocalServer> {
  return serveLocally(instance.socketPath, (request, response) => void answer(agent, request, response))
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
    if (request.method === 'GET' && kind === 'offers' && name === undefined) return agent.offers()
    if (request.method === 'GET' && kind === 'ports' && name !== undefined)
      return portReply(agent.hopsOf(Number(name)))
    if (kind === 'services' && name !== undefined) {
      const service = parseServiceName(name)
      if (request.method === 'PUT')
        return agent.expose(service, v.parse(ExposeRequest, await readJson(request)))
      if (request.method === 'DELETE')
        return agent.unexpose(service, v.parse(TakeBackRequest, await readJson(request)))
    }
    if (kind === 'reaches' && name !== undefined) {
      const service = parseServiceName(name)
      if (request.method === 'PUT') return agent.keep(service, v.parse(KeepRequest, await readJson(request)))
      if (request.method === 'DELETE')
        return agent.unreach(service, v.parse(TakeBackRequest, await readJson(request)))
    }
  }
  throw new ConnectError('BAD_VALUE', `There is no ${request.method} ${request.url}`)
}

function portReply(hops: number | undefined): PortReply {
  return hops === undefined ? { carries: false } : { carries: true, hops }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = await readBody(request, MAX_BODY_BYTES)
  if (text === undefined) throw new ConnectError('BAD_VALUE', 'The request is too large')
  // An older command sends none to take a service back.
  return text === '' ? {} : JSON.parse(text)
}
