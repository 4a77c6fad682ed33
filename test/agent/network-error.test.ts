import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { describeNetworkError, networkErrorCode } from '../../src/agent/network-error.ts'
import { echoServer } from '../helpers/servers.ts'

const withCode = (code: string) => Object.assign(new Error(`connect ${code} 192.0.2.1:443`), { code })

test.for([
  ['a refused connection', withCode('ECONNREFUSED'), 'connection refused'],
  ['an unknown host', withCode('ENOTFOUND'), 'host name not found'],
  [
    'what fetch hides in its cause',
    new TypeError('fetch failed', { cause: withCode('ECONNRESET') }),
    'connection reset',
  ],
  [
    'what both address families say, deep down',
    new TypeError('fetch failed', {
      cause: new AggregateError([withCode('ENETUNREACH'), withCode('EACCES')]),
    }),
    'the network is unreachable',
  ],
  ['an expired certificate', withCode('CERT_HAS_EXPIRED'), 'its TLS certificate has expired'],
  [
    'a time-out of ours',
    AbortSignal.abort(new DOMException('late', 'TimeoutError')).reason,
    'no answer in time',
  ],
  ['a code nobody foresaw', withCode('EWEIRD'), 'connect EWEIRD 192.0.2.1:443'],
  [
    'a port that fetch does not dial',
    new TypeError('fetch failed', { cause: new Error('bad port') }),
    'bad port',
  ],
  ['an error without a code', new Error('the answer is too large'), 'the answer is too large'],
  ['no error at all', 'why', 'why'],
] as const)('%s is told in words', ([, error, words]) => {
  expect(describeNetworkError(error)).toBe(words)
})

test('real failures are recognised', async () => {
  const server = await echoServer()
  await server.close()
  const failed = await fetch(`http://127.0.0.1:${server.port}/`).catch((error: unknown) => error)
  expect(networkErrorCode(failed)).toBe('ECONNREFUSED')
  const [error] = (await once(connect(server.port, 'localhost'), 'error')) as [Error]
  expect(describeNetworkError(error)).toBe('connection refused')
})
