import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { describeNetworkError, networkErrorCode, networkHints } from '../../src/net/network-error.ts'
import { echoServer } from '../helpers/servers.ts'

const withCode = (code: string) => Object.assign(new Error(`connect ${code} 192.0.2.1:443`), { code })

test.for([
  ['a refused connection', withCode('ECONNREFUSED'), 'connection refused'],
  ['an unknown host', withCode('ENOTFOUND'), 'host name not found'],
  [
    'what another error hides in its cause',
    new Error('failed', { cause: withCode('ECONNRESET') }),
    'connection reset',
  ],
  [
    'what the address says that there is a way to, deep down',
    new Error('failed', { cause: new AggregateError([withCode('ENETUNREACH'), withCode('EACCES')]) }),
    'not permitted',
  ],
  ['an expired certificate', withCode('CERT_HAS_EXPIRED'), 'its TLS certificate has expired'],
  ['a certificate of the future', withCode('CERT_NOT_YET_VALID'), 'its TLS certificate is not valid yet'],
  [
    'a time-out of ours',
    AbortSignal.abort(new DOMException('late', 'TimeoutError')).reason,
    'no answer in time',
  ],
  ['a code nobody foresaw', withCode('EWEIRD'), 'connect EWEIRD 192.0.2.1:443'],
  ['an error without a code', new Error('the answer is too large'), 'the answer is too large'],
  ['no error at all', 'why', 'why'],
] as const)('%s is told in words', ([, error, words]) => {
  expect(describeNetworkError(error)).toBe(words)
})

test('a certificate of the future makes one look at the clock', () => {
  expect(networkHints(withCode('CERT_NOT_YET_VALID'))).toEqual([
    expect.stringMatching(
      /^Set this machine’s clock, which most likely is wrong: it says \d{4}-\d\d-\d\d \d\d:\d\d UTC$/,
    ),
  ])
})

test('of a certificate with many names some are told', () => {
  const names = Array.from({ length: 9 }, (_, index) => `DNS:${index}.test`).join(', ')
  const error = Object.assign(withCode('ERR_TLS_CERT_ALTNAME_INVALID'), { cert: { subjectaltname: names } })
  expect(describeNetworkError(error)).toBe(
    'its TLS certificate is for another name: it is for 0.test, 1.test, 2.test, 3.test, 4.test and 4 more',
  )
})

test('real failures are recognised', async () => {
  const server = await echoServer()
  await server.close()
  const failed = await fetch(`http://127.0.0.1:${server.port}/`).catch((error: unknown) => error)
  expect(networkErrorCode(failed)).toBe('ECONNREFUSED')
  const [error] = (await once(connect(server.port, 'localhost'), 'error')) as [Error]
  expect(describeNetworkError(error)).toBe('connection refused')
})
