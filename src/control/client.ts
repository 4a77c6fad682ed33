import { connect } from 'node:net'
import * as v from 'valibot'
import type { Instance } from '../config/instance.ts'
import { codeOf, ConnectError, ERRORS, messageOf, type ErrorCode } from '../errors.ts'
import { AgentStatus, ErrorReply, ExposeReply, UnexposeReply, type ExposeRequest } from './schema.ts'

/** What an agent that does not answer costs a command at the most, in ms. */
const TIMEOUT_MS = 3000

/** Exposing waits for the hub's word, see agent/hub-link.ts. */
const EXPOSE_TIMEOUT_MS = 15_000

/** @returns undefined if no agent listens */
export function agentStatus(instance: Instance, timeoutMs = TIMEOUT_MS): Promise<AgentStatus | undefined> {
  return request(instance, 'GET', '/v1/status', AgentStatus, { timeoutMs })
}

/** @returns undefined if no agent listens */
export function exposeService(
  instance: Instance,
  name: string,
  target: ExposeRequest,
): Promise<ExposeReply | undefined> {
  const options = { body: JSON.stringify(target), timeoutMs: EXPOSE_TIMEOUT_MS }
  return request(instance, 'PUT', `/v1/services/${name}`, ExposeReply, options)
}

/** @returns undefined if no agent listens */
export function unexposeService(instance: Instance, name: string): Promise<UnexposeReply | undefined> {
  return request(instance, 'DELETE', `/v1/services/${name}`, UnexposeReply, { timeoutMs: EXPOSE_TIMEOUT_MS })
}

/**
 * One HTTP/1.0 exchange, by hand: node:http alone takes as long to load as all of `node -e 0`, and `daemon status` runs
 * in prompts.
 *
 * @throws ConnectError AGENT_BUSY if an agent listens but doesn't answer; what the agent refuses with
 */
async function request<T>(
  instance: Instance,
  method: string,
  path: string,
  schema: v.GenericSchema<unknown, T>,
  options: { body?: string; timeoutMs: number },
): Promise<T | undefined> {
  const { body = '', timeoutMs } = options
  const head = [`${method} ${path} HTTP/1.0`, 'Host: agent', `Content-Length: ${Buffer.byteLength(body)}`]
  const answer = await exchange(instance.socketPath, `${head.join('\r\n')}\r\n\r\n${body}`, timeoutMs)
  if (answer === undefined) return undefined
  const [, status, text] = /^HTTP\/1\.[01] (\d{3}) [^]*?\r\n\r\n([^]*)$/.exec(answer) ?? []
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
    if (status === '200') return v.parse(schema, value)
  } catch (error) {
    throw new ConnectError('AGENT_BUSY', `The agent gave an answer that makes no sense: ${messageOf(error)}`)
  }
  const { code, message } = v.parse(ErrorReply, value).error
  throw new ConnectError(code in ERRORS ? (code as ErrorCode) : 'HUB_ERROR', message)
}

async function exchange(socketPath: string, request: string, timeoutMs: number): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  const chunks: Buffer[] = []
  const socket = connect(socketPath)
  const timer = setTimeout(() => {
    socket.destroy()
    reject(new ConnectError('AGENT_BUSY', 'The agent does not answer'))
  }, timeoutMs)
  socket.once('connect', () => socket.write(request))
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  socket.once('error', (error) => {
    // Nobody listens: no socket, a dead agent's, or none of ours.
    if (['ENOENT', 'ECONNREFUSED'].includes(codeOf(error) ?? '')) resolve(undefined)
    else
      reject(
        new ConnectError('AGENT_BUSY', `The agent does not answer: ${messageOf(error)}`, { cause: error }),
      )
  })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}
