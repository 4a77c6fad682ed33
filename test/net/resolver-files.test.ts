import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { findInHosts, lookUpInHosts } from '../../src/net/hosts-file.ts'
import { searchedNames, searchNames } from '../../src/net/search-list.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

const HOSTS = `# static
127.0.0.1\tlocalhost
192.0.2.7   db.test DB  # the old one
2001:db8::7 db.test
not-an-address db.test
`

test('a name is found in the list of hosts, by any of its names and in either family', () => {
  const both = [
    { address: '192.0.2.7', family: 4 },
    { address: '2001:db8::7', family: 6 },
  ]
  expect(findInHosts(HOSTS, 'Db.Test')).toEqual(both)
  expect(findInHosts(HOSTS, 'db')).toEqual(both.slice(0, 1))
  for (const absent of ['test', 'old', '#', '192.0.2.7', '']) expect(findInHosts(HOSTS, absent)).toEqual([])
})

test('the list is read anew each time, and there need not be one', async () => {
  const file = path.join(scratchFolder(), 'hosts')
  expect(await lookUpInHosts('db.test', file)).toEqual([])
  writeFileSync(file, '192.0.2.7 db.test')
  expect(await lookUpInHosts('db.test', file)).toEqual([{ address: '192.0.2.7', family: 4 }])
})

test.for([
  ['db', 'nameserver 192.0.2.53', ['db']],
  ['db', 'search a.test b.test', ['db.a.test', 'db.b.test', 'db']],
  ['db.x', 'search a.test', ['db.x', 'db.x.a.test']],
  ['db.x', 'search a.test\noptions timeout:1 ndots:5', ['db.x.a.test', 'db.x']],
  ['db', 'search a.test\ndomain b.test', ['db.b.test', 'db']],
  ['db', 'search .', ['db']],
  ['db', '# search a.test', ['db']],
] as const)('%s with %j is searched for as resolv.conf(5) says', ([name, text, names]) => {
  expect(searchNames(text, name)).toEqual(names)
})

test('without a resolv.conf a name is asked for as it is', async () => {
  expect(await searchedNames('db', path.join(scratchFolder(), 'resolv.conf'))).toEqual(['db'])
})
