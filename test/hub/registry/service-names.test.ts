import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSameNames, missingFrom, ServiceNames } from '../../../src/hub/registry/service-names.ts'

const claimed = (agent: string, name: string, port?: number, workspace = 'default') => ({
  workspace,
  name,
  agent,
  port,
})
const web = claimed('ada', 'web', 80)
const api = claimed('ada', 'api', 81)
const ssh = claimed('eve', 'ssh', 22)
const socket = claimed('ada', 'socket')
const elsewhere = claimed('bob', 'web', 8080, 'other')

describe('names', () => {
  test('are found by their name, by their workspace and by their agent', () => {
    const names = new ServiceNames([web, ssh, api, elsewhere])
    expect(names.get('default', 'web')).toBe(web)
    expect(names.get('other', 'web')).toBe(elsewhere)
    expect(names.get('default', 'api')).toBe(api)
    expect(names.get('other', 'api')).toBeUndefined()
    expect(names.in('default')).toEqual([web, api, ssh])
    expect(names.in('other')).toEqual([elsewhere])
    expect(names.of('ada')).toEqual([web, api])
    expect(names.of('eve')).toEqual([ssh])
    expect(names.of('nobody')).toEqual([])
  })

  test('of an agent take the place of those that it had', () => {
    const names = new ServiceNames([web, api, ssh])
    const moved = claimed('ada', 'api', 82)
    names.set('ada', [moved])
    expect(names.in('default')).toEqual([ssh, moved])
    expect(names.of('ada')).toEqual([moved])
  })

  test('that someone else has by now stay with that one', () => {
    const names = new ServiceNames([web])
    const taken = claimed('eve', 'web', 8080)
    names.set('eve', [taken])
    names.set('ada', [])
    expect(names.get('default', 'web')).toBe(taken)
  })

  test('leave nothing behind of an agent that has none any more', () => {
    const names = new ServiceNames([web])
    const none: [] = []
    names.set('ada', none)
    expect(names.in('default')).toEqual([])
    expect(names.of('ada')).toEqual([])
    expect(names.of('ada')).not.toBe(none)
  })
})

describe('two lists have the same names', () => {
  test.for([
    ['in whatever order', [web, api], [api, web], true],
    ['if there are none in either', [], [], true],
    ['whoever claims them', [web], [claimed('eve', 'web', 80)], true],
    ['but not if the first has more', [web, api], [web], false],
    ['but not if the second has more', [web], [web, api], false],
    ['but not if one of them is another', [web, api], [web, ssh], false],
    ['if one of them has no port in either', [web, socket], [socket, web], true],
    ['but not if it has one in the second', [web, socket], [web, claimed('ada', 'socket', 1)], false],
    ['but not if another one has no port', [web, socket], [web, claimed('ada', 'other')], false],
    ['but not if one of them has another port', [web, api], [web, claimed('ada', 'api', 82)], false],
  ] as const)('%s', ([, one, other, isSame]) => {
    expect(isSameNames(one, other)).toBe(isSame)
  })
})

test('whatever two lists there are, what is missing from one and what it has are all of the other', () => {
  const lists = fc.uniqueArray(
    fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), port: fc.constantFrom(undefined, 1, 2) }),
    { selector: ({ name }) => name },
  )
  const text = ({ name, port }: { name: string; port?: number | undefined }) => `${name} ${port}`
  fc.assert(
    fc.property(lists, lists, (first, second) => {
      const [one, other] = [first, second].map((list) =>
        list.map(({ name, port }) => claimed('ada', name, port)),
      )
      const known = new Set(other!.map(text))
      expect(missingFrom(other!, one!).map(text)).toEqual(one!.map(text).filter((entry) => !known.has(entry)))
      const same = [first, second].map((list) => list.map(text).toSorted().join())
      expect(isSameNames(one!, other!)).toBe(same[0] === same[1])
    }),
  )
})
