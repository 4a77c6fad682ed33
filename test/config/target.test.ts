import path from 'node:path'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { ExposedService } from '../../src/config/services.ts'
import { formatTarget, listTarget, parseListenAddress, parseTarget } from '../../src/config/target.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

describe('parseTarget', () => {
  test.for([
    ['5432', { host: 'localhost', port: 5432 }],
    ['localhost:5432', { host: 'localhost', port: 5432 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['db_1:65535', { host: 'db_1', port: 65_535 }],
    ['a.b-c.example:80', { host: 'a.b-c.example', port: 80 }],
    ['XN--Bcher-KVA.example:443', { host: 'XN--Bcher-KVA.example', port: 443 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80 }],
  ] as const)('takes %s', ([text, target]) => {
    expect(parseTarget(text)).toEqual(target)
  })

  test.for([
    ['nothing', ''],
    ['a blank', ' '],
    ['a host alone', 'localhost'],
    ['a host and a colon', 'localhost:'],
    ['a port behind a lone colon', ':5432'],
    ['port 0', '0'],
    ['port 65536', '65536'],
    ['six digits', '005432'],
    ['a negative port', '-1'],
    ['a port with letters', '5432x'],
    ['a port in other digits', '٥٤٣٢'],
    ['a blank in the host', 'local host:80'],
    ['a blank at the end', 'localhost:80 '],
    ['a newline at the end', 'localhost:80\n'],
    ['an IPv6 address without a port', '[::1]'],
    ['an IPv6 address without brackets', '::1:80'],
    ['a name in brackets', '[localhost]:80'],
    ['a bracket that stays open', '[::1:80'],
    ['three numbers', '1.2.3:80'],
    ['five numbers', '1.2.3.4.5:80'],
    ['a number beyond 255', '256.1.1.1:80'],
    ['an empty label', 'a..b:80'],
    ['a hyphen at the front', '-a:80'],
    ['a hyphen at the end', 'a-:80'],
    ['a label of 64 characters', `${'a'.repeat(64)}:80`],
    ['a name of 254 characters', `${`${'a'.repeat(49)}.`.repeat(5)}abcd:80`],
    ['a URL', 'http://localhost:80'],
    ['a path', 'localhost:80/path'],
    ['a user', 'user@localhost:80'],
    ['an escape sequence', '\u001b[31mhost:80'],
  ] as const)('refuses %s', ([, text]) => {
    expect(thrownBy(() => parseTarget(text)).code).toBe('BAD_TARGET')
  })
})

describe('what is no TCP port is called by its name, with the command that was meant:', () => {
  test.for([
    ['http://localhost:3000', /is a URL/, 'Run: connect expose localhost:3000 --name NAME'],
    ['https://[::1]:8443/path?a', /is a URL/, 'Run: connect expose [::1]:8443 --name NAME'],
    ['http://web.internal/', /is a URL/, 'Run: connect expose web.internal:80 --name NAME'],
    ['postgres://ada:hunter2@db/shop', /^This is a URL/, 'Run: connect expose db:5432 --name NAME'],
    ['gopher://old.example', /is a URL/, 'Run: connect expose [HOST:]PORT --name NAME'],
    ['udp://localhost:53', /is a UDP port/, 'Give a TCP port: connect expose PORT --name NAME'],
    [
      '/run/web.sock',
      /is a path, not \[HOST:\]PORT$/,
      'If it is a Unix socket, run: connect expose unix:/run/web.sock --name NAME',
    ],
    [
      './my app.sock',
      /is a path, not \[HOST:\]PORT$/,
      "If it is a Unix socket, run: connect expose 'unix:./my app.sock' --name NAME",
    ],
  ] as const)('%s', ([text, message, hint]) => {
    const error = thrownBy(() => parseTarget(text))
    expect(error.message).toMatch(message)
    expect(error.hints).toEqual([typeof hint === 'string' ? hint : expect.stringMatching(hint)])
    expect(error.message + error.hints.join('')).not.toContain('hunter2')
  })
})

describe('a Unix socket', () => {
  test.for([
    ['unix:/run/postgresql/.s.PGSQL.5432', '/run/postgresql/.s.PGSQL.5432'],
    ['unix:///run/web.sock', '/run/web.sock'],
    ['UNIX:/run/../run//web.sock', '/run/web.sock'],
    ['unix:web.sock', path.join(process.cwd(), 'web.sock')],
    ['unix:./~/@web.sock', path.join(process.cwd(), '~', '@web.sock')],
    ['unix:/tmp/é', '/tmp/é'],
  ] as const)('%s has an absolute path', ([text, file]) => {
    const target = parseTarget(text)
    expect(target).toEqual({ path: file })
    expect(formatTarget(target)).toBe(`unix:${file}`)
    expect(listTarget(target)).toEqual({ host: null, port: null, path: file })
  })

  const most = process.platform === 'linux' ? 107 : 103
  test('has a path that fits into sun_path, counted in bytes', () => {
    const file = `/tmp/${'é'.repeat((most - 5) / 2)}`
    expect(Buffer.byteLength(file)).toBe(most)
    expect(parseTarget(`unix:${file}`)).toEqual({ path: file })
    const error = thrownBy(() => parseTarget(`unix:${file}x`))
    expect(error.message).toBe(
      `${file}x is too long for a Unix socket: it has ${most + 1} bytes, and the system takes ${most}`,
    )
  })

  test.for([
    ['unix:', /is neither \[HOST:\]PORT nor unix:PATH$/],
    ['unix:@abstract', /^"@abstract" is an abstract socket, which any user of the machine could take/],
    ['unix:~/web.sock', /^In "~\/web.sock" the ~ is not your home folder/],
    ['unix:/tmp/a\nb', /control character/],
    ['unix:/tmp/\u001b[31m', /control character/],
  ] as const)('%j is refused', ([text, message]) => {
    const error = thrownBy(() => parseTarget(text))
    expect(error.code).toBe('BAD_TARGET')
    expect(error.message).toMatch(message)
  })
})

test('whatever is given, a target that is taken can be saved, read again, and given as it is shown', () => {
  const part = fc.oneof(
    fc.constantFrom('/', '.', '..', '~', '@', ':', 'unix:', '[::1]', '0', '5432'),
    fc.string(),
  )
  const texts = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''))
  const paths = fc.string({ unit: 'binary', maxLength: 120 })
  fc.assert(
    fc.property(
      fc.oneof(
        texts,
        texts.map((text) => `unix:${text}`),
        paths.map((text) => `unix:/${text}`),
      ),
      (text) => {
        let target: ReturnType<typeof parseTarget>
        try {
          target = parseTarget(text)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^BAD_(TARGET|VALUE)$/) })
          return
        }
        expect(v.is(ExposedService, { name: 'web', ...target })).toBe(true)
        expect(parseTarget(formatTarget(target))).toEqual(target)
      },
    ),
  )
})

test.for(['localhost:5432', '10.0.0.1:22', '[2001:db8::1]:443'])('%s is printed as it was given', (text) => {
  expect(formatTarget(parseTarget(text))).toBe(text)
})

describe('parseListenAddress', () => {
  test.for([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:7700', { host: 'localhost', port: 7700 }],
    ['7700', { host: 'localhost', port: 7700 }],
  ] as const)('takes %s', ([text, address]) => {
    expect(parseListenAddress(text)).toEqual(address)
  })

  const refused = [
    '',
    ':0',
    '0',
    'a b:0',
    '[x]:0',
    '1.2.3:0',
    'localhost:65536',
    'http://localhost:7700',
    'unix:/run/x',
  ]
  test.for(refused)('refuses "%s", with no word of exposing', (text) => {
    const error = thrownBy(() => parseListenAddress(text))
    expect(error.code).toBe('BAD_TARGET')
    expect(error.message + error.hints.join('')).not.toContain('expose')
  })
})
