import { expect, test } from 'vitest'
import { LOOPBACKS, knownAddresses, type Address } from '../../src/net/known-addresses.ts'
import { NameResolver, type ResolverOptions } from '../../src/net/name-resolver.ts'
import { describeNetworkError } from '../../src/net/network-error.ts'

const HERE: Address[] = [{ address: '192.0.2.1', family: 4 }]
const THERE: Address[] = [{ address: '192.0.2.2', family: 4 }]

const never = () => new Promise<Address[]>(() => {})
const withCode = (code: string) => Object.assign(new Error(code), { code })

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([work])
  return outcome.status === 'rejected' ? outcome.reason : 'it did not fail'
}

/** A resolver whose sources are told what to say, and note what they were asked. */
function resolverWith(options: ResolverOptions = {}): { names: NameResolver; asked: string[] } {
  const asked: string[] = []
  const noting =
    <Rest extends unknown[]>(
      source: string,
      answer: (name: string, ...rest: Rest) => Promise<readonly Address[]>,
    ) =>
    (name: string, ...rest: Rest) => {
      asked.push(`${source} ${name}`)
      return answer(name, ...rest)
    }
  const names = new NameResolver({
    ...options,
    system: noting('system', options.system ?? never),
    hosts: noting('hosts', options.hosts ?? (async () => [])),
    dns: noting('dns', options.dns ?? never),
  })
  return { names, asked }
}

test.for([
  ['127.0.0.1', [{ address: '127.0.0.1', family: 4 }]],
  ['[::1]', [{ address: '::1', family: 6 }]],
  ['fe80::1%lo', [{ address: 'fe80::1%lo', family: 6 }]],
  ['localhost', LOOPBACKS],
  ['LOCALHOST.', LOOPBACKS],
  ['db.localhost', LOOPBACKS],
  ['localhost.example.com', undefined],
  ['notlocalhost', undefined],
] as const)('%s needs a lookup, or none', ([host, addresses]) => {
  expect(knownAddresses(host)).toEqual(addresses)
})

test('all who ask for a name at the time share one lookup', async () => {
  const { names, asked } = resolverWith({ system: async () => HERE })
  const answers = await Promise.all(['a.test', 'A.test', 'a.test'].map((name) => names.resolve(name)))
  expect(answers).toEqual([HERE, HERE, HERE])
  expect(asked).toEqual(['system a.test'])
})

test('while getaddrinfo waits for a dead name, ten more don’t stand in the way of one that DNS or the hosts know', async () => {
  const { names, asked } = resolverWith({
    hosts: async (name) => (name === 'listed.test' ? HERE : []),
    dns: (name) => (name === 'good.test' ? Promise.resolve(THERE) : never()),
  })
  for (let index = 0; index < 10; index++) void names.resolve(`dead-${index}.test`).catch(() => {})
  expect(await names.resolve('listed.test')).toEqual(HERE)
  expect(await names.resolve('good.test')).toEqual(THERE)
  expect(asked.filter((one) => one.startsWith('system'))).toEqual(['system dead-0.test'])
})

test('a name that neither DNS nor the hosts know waits for getaddrinfo, which may know it from elsewhere', async () => {
  const dead = Promise.withResolvers<Address[]>()
  const { names } = resolverWith({
    system: (name) => (name === 'dead.test' ? dead.promise : Promise.resolve(HERE)),
    dns: () => Promise.reject(withCode('ENOTFOUND')),
  })
  const first = failureOf(names.resolve('dead.test'))
  const second = names.resolve('printer.local')
  dead.reject(withCode('EAI_AGAIN'))
  expect(await second).toEqual(HERE)
  expect(await first).toMatchObject({ code: 'EAI_AGAIN' })
})

test('a resolver that keeps getaddrinfo for the last does not ask it for what DNS knows, or is silent on', async () => {
  const dns = (name: string) =>
    name === 'good.test'
      ? Promise.resolve(HERE)
      : Promise.reject(withCode(name === 'dead.test' ? 'ETIMEOUT' : 'ENOTFOUND'))
  const { names, asked } = resolverWith({ isSystemLast: true, system: async () => THERE, dns })
  expect(await names.resolve('good.test')).toEqual(HERE)
  expect(describeNetworkError(await failureOf(names.resolve('dead.test')))).toMatch(/^DNS did not answer/)
  expect(asked.filter((one) => one.startsWith('system'))).toEqual([])
  expect(await names.resolve('printer.local')).toEqual(THERE)
})

test('what getaddrinfo says is final', async () => {
  const { names, asked } = resolverWith({ system: () => Promise.reject(withCode('ENOTFOUND')) })
  expect(describeNetworkError(await failureOf(names.resolve('no.test')))).toBe('host name not found')
  expect(asked).toEqual(['system no.test'])
})

test('where nobody answers the error says so, and for some seconds nobody is asked again', async () => {
  let now = 0
  const { names, asked } = resolverWith({ timeoutMs: 5, coolDownMs: 5000, now: () => (now += 1500) })
  const message = 'DNS did not answer for dead.test'
  expect(await failureOf(names.resolve('dead.test'))).toMatchObject({ message })
  expect(await failureOf(names.resolve('dead.test'))).toMatchObject({ message })
  expect(asked).toEqual(['system dead.test'])
  now += 10_000
  // getaddrinfo can’t be ended: it is still asked for it.
  expect(await failureOf(names.resolve('dead.test'))).toMatchObject({ message })
  expect(asked).toEqual(['system dead.test'])
})

test('a name that DNS does not answer for beside another one is not waited for', async () => {
  const { names } = resolverWith({ dns: () => Promise.reject(withCode('ETIMEOUT')) })
  void names.resolve('dead.test').catch(() => {})
  const error = await failureOf(names.resolve('other.test'))
  expect(describeNetworkError(error)).toBe('DNS did not answer for other.test')
})

test('a name that is not found in time while getaddrinfo is busy is told as not found', async () => {
  const { names } = resolverWith({ timeoutMs: 30, dns: () => Promise.reject(withCode('ENODATA')) })
  void names.resolve('dead.test').catch(() => {})
  expect(describeNetworkError(await failureOf(names.resolve('no.test')))).toBe('host name not found')
})
