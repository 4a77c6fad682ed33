import { describe, expect, test } from 'vitest'
import { Errors } from '@oclif/core'
import { parseReachLine } from '../../../src/cli/argv/reach-line.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

type Flags = Parameters<typeof parseReachLine>[1]

describe('what is asked for:', () => {
  const [socketPath, program] = [undefined, undefined]
  const [echo, other] = [
    { name: 'echo', port: undefined },
    { name: 'other', port: 1 },
  ]
  test.for<[string[] | undefined, Flags, string[] | undefined, object]>([
    [undefined, {}, undefined, { does: 'list' }],
    [undefined, { json: true }, undefined, { does: 'list' }],
    [['echo'], { stdio: true }, undefined, { does: 'carry stdio', name: 'echo' }],
    [['echo', 'other:1'], { keep: true, bind: '::1' }, undefined, { does: 'keep', services: [echo, other] }],
    [
      ['echo.privateconnect', 'other:1'],
      { json: true },
      undefined,
      { does: 'listen', services: [echo, other].map((one) => ({ ...one, socketPath })), program },
    ],
    [
      ['echo'],
      { socket: '/tmp/s' },
      undefined,
      { does: 'listen', services: [{ ...echo, socketPath: '/tmp/s' }], program },
    ],
    [
      ['other'],
      { port: '1', bind: '::1' },
      ['psql', '-h', '--json'],
      { does: 'listen', services: [{ ...other, socketPath }], program: ['psql', '-h', '--json'] },
    ],
  ])('%j %j %j', ([names, flags, foreign, asked]) => {
    expect(parseReachLine(names, flags, foreign)).toEqual(asked)
  })
})

describe('what one service alone can have, or what is said twice, is refused:', () => {
  test.for<[string[], Flags, string]>([
    [['echo', 'other'], { port: '1' }, '--port is for one service, and 2 are named'],
    [['echo', 'other'], { socket: '/tmp/s' }, '--socket is for one service, and 2 are named'],
    [['echo', 'other'], { stdio: true }, '--stdio is for one service, and 2 are named'],
    [['echo:1'], { stdio: true }, '--stdio and a port can’t be used together'],
    [['echo:1'], { socket: '/tmp/s' }, '--socket and a port can’t be used together'],
    [['echo', 'other'], { keep: true, port: '1' }, '--port is for one service, and 2 are named'],
    [['echo:1'], { port: '2' }, 'The port of "echo" is given twice'],
    [['echo', 'other', 'echo'], {}, '"echo" is named twice'],
    [['echo:1', 'other:1'], {}, 'Port 1 is given to two services'],
    [['echo:http'], {}, '"http" is not a port (0 to 65535)'],
    [['echo:'], {}, '"" is not a port (0 to 65535)'],
    [['echo:70000', 'other'], {}, '"70000" is not a port (0 to 65535)'],
  ])('%j %j', ([names, flags, message]) => {
    expect(thrownBy(() => parseReachLine(names, flags, undefined))).toMatchObject({
      code: 'BAD_VALUE',
      message,
    })
  })
})

describe('what does not go with a program is refused:', () => {
  test.for<[string[], Flags, string[], string]>([
    [['echo'], {}, [], 'There is no program behind --'],
    [['echo'], { json: true }, ['true'], '--json and a program behind -- can’t be used together'],
    [['echo', 'sink'], {}, ['true'], '-- is for one service, and 2 are named'],
    [['echo'], { keep: true }, ['true'], '--keep and a program behind -- can’t be used together'],
    [['echo'], { socket: '/tmp/s' }, ['true'], '--socket and a program behind -- can’t be used together'],
    [['echo'], { stdio: true }, ['true'], '--stdio and a program behind -- can’t be used together'],
  ])('%j %j -- %j', ([names, flags, foreign, message]) => {
    expect(thrownBy(() => parseReachLine(names, flags, foreign))).toMatchObject({
      code: 'BAD_VALUE',
      message,
    })
  })
})

test.for<[Flags, string[] | undefined, string]>([
  [{ keep: true }, undefined, '--keep'],
  [{ port: '1' }, undefined, '--port'],
  [{ bind: '::1' }, undefined, '--bind'],
  [{ socket: '/tmp/s' }, undefined, '--socket'],
  [{ stdio: true }, undefined, '--stdio'],
  [{}, ['true'], '--'],
])('%j -- %j needs the name of a service', ([flags, foreign, needy]) => {
  const refusal = new Errors.CLIError(`${needy} needs the name of a service`)
  expect(() => parseReachLine(undefined, flags, foreign)).toThrow(refusal)
})
